package main

import (
	"dongled/configs"
	"dongled/httpapi/compat/smseagle"
)

func eagleGroups(cfg configs.Config) (all []smseagle.Group) {
	for _, g := range cfg.Groups {
		all = append(all, smseagle.Group(g))
	}
	return all
}

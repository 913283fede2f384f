package main

import (
	"dongled/configs"
	"dongled/httpapi/compat/bird"
)

// birdOptions is the configuration of Bird's API.
func birdOptions(cfg configs.Config) bird.Options {
	b := cfg.Bird
	o := bird.Options{
		Workspace: b.Workspace, ValidationStatus: b.ValidationStatus, Strict: b.Strict, MMSFallback: b.MMSFallback == configs.MMSWithLinks,
		FrequencyCap: b.FrequencyCap, FrequencyPeriod: b.FrequencyPeriod,
	}
	for _, ch := range cfg.Channels {
		o.Channels = append(o.Channels, bird.Channel{ID: ch.ID, SIM: ch.SIM, Name: ch.Name, Kind: string(ch.Kind)})
	}
	return o
}

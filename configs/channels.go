package configs

import (
	"fmt"
	"regexp"
	"strings"
)

var uuidPattern = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

const uuidExample = "such as 11111111-2222-4333-8444-555555555555"

func (r *rules) channels(all []Channel) {
	ids := map[string]string{}
	for i, ch := range all {
		at := fmt.Sprintf("channels[%d].", i)
		r.must(uuidPattern.MatchString(ch.ID), "must be a UUID, "+uuidExample, at+"id")
		r.must(0 <= ch.SIM && ch.SIM <= maxSIM, "must be from 1 to 255, or 0 for any SIM", at+"sim")
		id := strings.ToLower(ch.ID)
		if first, taken := ids[id]; taken && id != "" {
			r.add("is taken by "+first+"; every channel needs its own", at+"id", first)
			continue
		}
		ids[id] = at + "id"
	}
}

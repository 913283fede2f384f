package alerts

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"dongled/httpapi/compat"
)

// payload is what both send, and what templates see.
type payload struct {
	Version           string `json:"version"`
	GroupKey          string `json:"groupKey"`
	TruncatedAlerts   int    `json:"truncatedAlerts"`
	Status            string `json:"status"` // firing or resolved
	Receiver          string `json:"receiver"`
	GroupLabels       pairs  `json:"groupLabels"`
	CommonLabels      pairs  `json:"commonLabels"`
	CommonAnnotations pairs  `json:"commonAnnotations"`
	ExternalURL       string `json:"externalURL"`
	Alerts            alerts `json:"alerts"`
	// Title, Message and State are Grafana's.
	Title   string `json:"title"`
	Message string `json:"message"`
	State   string `json:"state"`
}

// pairs are labels or annotations.
type pairs map[string]string

type alert struct {
	Status       string    `json:"status"`
	Labels       pairs     `json:"labels"`
	Annotations  pairs     `json:"annotations"`
	StartsAt     time.Time `json:"startsAt"`
	EndsAt       time.Time `json:"endsAt"`
	GeneratorURL string    `json:"generatorURL"`
	Fingerprint  string    `json:"fingerprint"`
	// These are Grafana's.
	SilenceURL   string `json:"silenceURL"`
	DashboardURL string `json:"dashboardURL"`
	PanelURL     string `json:"panelURL"`
	ValueString  string `json:"valueString"`
}

type alerts []alert

// Firing are those that are.
func (as alerts) Firing() alerts { return as.of("firing") }

// Resolved are those that were.
func (as alerts) Resolved() alerts { return as.of("resolved") }

// Current are those that the status is about: while any fires, a group that fires has some that are over.
func (p payload) Current() alerts {
	if firing := p.Alerts.Firing(); p.Status == "firing" && len(firing) > 0 {
		return firing
	}
	return p.Alerts
}

func (as alerts) of(status string) (found alerts) {
	for _, a := range as {
		if a.Status == status {
			found = append(found, a)
		}
	}
	return found
}

func parse(body []byte) (p payload, err error) {
	if err := json.Unmarshal(body, &p); err != nil {
		return p, compat.Fault("body", "must be the JSON of a webhook: %s", reason(err))
	}
	switch {
	case p.Status != "firing" && p.Status != "resolved":
		return p, compat.Fault("status", "must be firing or resolved")
	case len(p.Alerts) == 0:
		return p, compat.Fault("alerts", "must have at least one alert")
	}
	return p, nil
}

// reason is what is wrong with JSON, without quoting it.
func reason(err error) string {
	text := strings.TrimPrefix(err.Error(), "json: ")
	before, _, quotes := strings.Cut(text, `"`)
	if quotes {
		return strings.TrimSpace(before)
	}
	return text
}

// identity is the same for what is sent again: the group, its status, and which alerts are in it, each with
// when it began, so that one that went away and came back is another.
func (p *payload) identity() string {
	var of []string
	for _, a := range p.Alerts {
		of = append(of, strings.Join([]string{a.Fingerprint, a.Status, a.StartsAt.UTC().Format(time.RFC3339Nano)}, " "))
	}
	slices.Sort(of)
	return strings.Join(append([]string{p.GroupKey, p.Status}, of...), "\n")
}

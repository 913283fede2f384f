// Package alerts takes the webhooks of Prometheus' Alertmanager (version 4 of its payload) and of Grafana
// (version 1) and sends a text for each. The two are dialects of their own, "alertmanager" and "grafana",
// that differ in little.
//
//	POST      /hooks/alertmanager[/RECEIVER]   ?to=+49…,+49…&sim=1
//	POST, PUT /hooks/grafana[/RECEIVER]
//
// To whom: the numbers of to, or else those of the receiver in the configuration that the path names, or
// else the payload. Both want credentials: Basic, or a bearer token or key. Where the receiver has a secret,
// Grafana's signature has to be right as well.
//
// What is sent is made by the receiver's template (Go's text/template) and cut to its max_parts. It sees the
// payload with names as in Alertmanager's own templates: .Status, .Receiver, .GroupLabels, .CommonLabels,
// .CommonAnnotations, .ExternalURL, .TruncatedAlerts, .Alerts, .Alerts.Firing, .Alerts.Resolved, of each .Labels,
// .Annotations, .StartsAt and so on; of Grafana .Title, .Message and .State besides. .Current are the alerts that
// the status is about: in a group that fires, those that still do.
//
// Alertmanager sends again what was answered with a 5xx status, and nothing else. So a queue that is full, and
// an address that has to wait after wrong passwords, are answered with 503, and what is wrong with the
// configuration or the payload with 400. What comes again within five minutes, in the same group with the same
// status and the same alerts, was taken before: the answer is 200 with "repeated", and nothing is sent. Two
// Alertmanagers in a cluster tell the same alert once that way.
//
// Honoured: all that a template uses. Without effect: groupKey but for repetitions, images, values.
package alerts

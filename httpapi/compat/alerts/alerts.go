package alerts

import (
	_ "embed"
	"text/template"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
)

// The documents differ in their paths.
var (
	//go:embed alertmanager.yaml
	alertmanagerSpec []byte
	//go:embed grafana.yaml
	grafanaSpec []byte
)

// Receiver is whom alerts go to.
type Receiver struct {
	Name string
	// To are 1 to 100 numbers.
	To []string
	// SIM is a simNumber, 0 for any.
	SIM int
	// Template is a text/template that parses; empty is DefaultTemplate.
	Template string
	// MaxParts is how many parts a text may take, 1 to 255.
	MaxParts int
	// Secret is that of Grafana's signature, empty for none.
	Secret string
}

// DefaultTemplate makes a text such as "[firing:2] DiskFull web-1: disk is 91% full". Alerts of several names
// in a group are named each. The count is in front, where cutting the text does not take it away.
const DefaultTemplate = `[{{ .Status }}:{{ len .Current }}{{ with .TruncatedAlerts }}, {{ . }} more{{ end }}]` +
	`{{ with or .CommonLabels.alertname .GroupLabels.alertname }} {{ . }}` +
	`{{ with $.CommonLabels.instance }} {{ . }}{{ end }}` +
	`{{ with or $.CommonAnnotations.summary $.CommonAnnotations.description }}: {{ . }}{{ else }}` +
	`{{ range $i, $a := $.Current }}{{ with or .Annotations.summary .Annotations.description }}` +
	`{{ if $i }}; {{ else }}: {{ end }}{{ . }}{{ end }}{{ end }}{{ end }}` +
	`{{ else }}{{ range $i, $a := .Current }}{{ if $i }};{{ end }} {{ .Labels.alertname }}` +
	`{{ with .Labels.instance }} {{ . }}{{ end }}` +
	`{{ with or .Annotations.summary .Annotations.description }}: {{ . }}{{ end }}{{ end }}{{ end }}`

// DefaultMaxParts bounds what goes to numbers that no receiver of the configuration has.
const DefaultMaxParts = 3

// receiver is a Receiver that is ready.
type receiver struct {
	Receiver
	text *template.Template
}

// Dialect is one of the two. It is a room of the store.
type Dialect struct {
	name      string
	spec      []byte
	signed    bool
	gateway   compat.Gateway
	receivers map[string]receiver
	anybody   receiver
}

// NewAlertmanager makes the dialect of Alertmanager.
func NewAlertmanager(_ compat.Base, receivers []Receiver) *Dialect {
	return build("alertmanager", alertmanagerSpec, receivers)
}

// NewGrafana makes the dialect of Grafana.
func NewGrafana(_ compat.Base, receivers []Receiver) *Dialect {
	d := build("grafana", grafanaSpec, receivers)
	d.signed = true
	return d
}

func build(name string, spec []byte, receivers []Receiver) *Dialect {
	d := &Dialect{name: name, spec: spec, receivers: map[string]receiver{}}
	d.anybody = prepare(Receiver{MaxParts: DefaultMaxParts})
	for _, r := range receivers {
		d.receivers[r.Name] = prepare(r)
	}
	return d
}

// prepare parses a template that configs found to parse.
func prepare(r Receiver) receiver {
	if r.Template == "" {
		r.Template = DefaultTemplate
	}
	return receiver{r, template.Must(template.New(r.Name).Option("missingkey=zero").Parse(r.Template))}
}

// Name implements compat.Dialect.
func (d *Dialect) Name() string { return d.name }

// OpenAPI implements compat.Dialect.
func (d *Dialect) OpenAPI() []byte { return d.spec }

// Mount implements compat.Dialect.
func (d *Dialect) Mount(r fiber.Router, g compat.Gateway) {
	d.gateway = g
	for _, path := range []string{"/hooks/" + d.name, "/hooks/" + d.name + "/:receiver"} {
		handlers := []fiber.Handler{g.Answering(fail), g.Enter(compat.Header, "messages:send"), g.Body, d.take}
		r.Post(path, handlers...)
		if d.signed {
			r.Put(path, handlers...)
		}
	}
}

// fail has who is to wait try again: Alertmanager does so upon 5xx alone, and gives an alert up upon a 429.
func fail(c *fiber.Ctx, t compat.Trouble) error {
	if t.Kind == compat.TooMany {
		t.Kind = compat.Full
	}
	return compat.Plainly(c, t)
}

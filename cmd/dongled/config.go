package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"dongled/configs"
	"dongled/httpapi/compat"
	"dongled/httpapi/courier"
)

// sources are the flags by which a command finds its configuration.
type sources struct {
	Config string            `short:"c" placeholder:"FILE" help:"Configuration file; without one, defaults and environment apply."`
	Set    map[string]string `placeholder:"KEY=VALUE" mapsep:"none" help:"Override one key, such as http.listen=:9090 or modems.0.port=/dev/ttyUSB3; repeatable."`
}

// load reads the configuration in effect for this process.
func (s sources) load() (configs.Effective, error) {
	return configs.Load(configs.Sources{File: s.Config, Environ: os.Environ(), Flags: s.Set, Dialects: dialectNames()})
}

// dialectNames are those of all other vendors' APIs, switched on or not.
func dialectNames() []string {
	names := []string{}
	discard := slog.New(slog.DiscardHandler)
	for _, d := range dialectsOf(configs.Default(), compat.Base{Callbacks: courier.New(courier.Options{Log: discard}), Log: discard}) {
		names = append(names, d.Name())
	}
	return names
}

type configCmd struct {
	Check configCheckCmd `cmd:"" help:"Report every fault of a configuration file; exit status 1 if there is one."`
	Print configPrintCmd `cmd:"" help:"Print the configuration in effect, and where it was set; secrets are masked."`
}

type configCheckCmd struct {
	File string `arg:"" help:"The file to check. The environment counts as it does for serve."`
}

// Run loads the file as serve would.
func (c *configCheckCmd) Run(s streams) error {
	e, err := sources{Config: c.File}.load()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s: ok: %s\n", c.File, summary(e.Config))
	return err
}

// summary says in one line what a configuration would start.
func summary(c configs.Config) string {
	var sims []string
	for _, m := range c.Modems {
		sims = append(sims, fmt.Sprintf("SIM %d on %s", m.SIM, m.Port))
	}
	if sims == nil {
		sims = []string{"every dongle found"}
	}
	return fmt.Sprintf("listen %s, store %s, %s", c.HTTP.Listen, c.Store.Path, strings.Join(sims, ", "))
}

type configPrintCmd struct {
	sources
	Sample bool `help:"Print the commented sample file, whose values are the defaults."`
}

// Run prints YAML that can serve as a file, secrets aside.
func (c *configPrintCmd) Run(s streams) error {
	if c.Sample {
		_, err := io.WriteString(s.out, configs.Sample())
		return err
	}
	e, err := c.load()
	if err != nil {
		return err
	}
	text, err := e.YAML()
	if err != nil {
		return err
	}
	_, err = s.out.Write(text)
	return err
}

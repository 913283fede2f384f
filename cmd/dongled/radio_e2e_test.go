package main_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// dongle is a virtual dongle in a process of its own: vmodem on a pseudo-terminal, or behind socat.
type dongle struct {
	*process
	name, dir string
	args      []string
}

// onPTY starts a dongle whose port is a link in dir. Its SIM's TP-MR and its log outlive it.
func onPTY(t *testing.T, dir, name string, args ...string) *dongle {
	t.Helper()
	needVmodem(t)
	d := &dongle{name: name, dir: dir, args: args}
	d.restart(t)
	return d
}

// port is the path of the dongle's port: a link, as udev makes them.
func (d *dongle) port() string { return filepath.Join(d.dir, d.name) }

// restart plugs the dongle in, after its process was killed.
func (d *dongle) restart(t *testing.T) {
	t.Helper()
	was, _ := os.Readlink(d.port())
	d.process = start(t, "vmodem", append([]string{
		"--name", d.name, "--link", d.port(), "--log", d.port() + ".jsonl", "--state", d.port() + ".mr",
	}, d.args...)...)
	await(t, "the port", func() (bool, string) {
		if !d.running() {
			t.Fatalf("vmodem ended: %s", d.stderr.String())
		}
		now, err := os.Readlink(d.port())
		return err == nil && now != was, fmt.Sprint(now, err)
	})
}

// behindSocat starts a dongle on standard input and output and has socat give it a port.
func behindSocat(t *testing.T, dir, name string, args ...string) *dongle {
	t.Helper()
	needSocat(t)
	needVmodem(t)
	d := &dongle{name: name, dir: dir, args: args}
	vmodem := append([]string{"vmodem", "--name", name, "--log", d.port() + ".jsonl"}, args...)
	d.process = start(t, "socat", "-d", "-d", "PTY,link="+d.port()+",raw,echo=0", "EXEC:"+strings.Join(vmodem, " "))
	await(t, "socat's port", func() (bool, string) {
		if !d.running() {
			t.Fatalf("socat ended: %s", d.stderr.String())
		}
		_, err := os.Stat(d.port())
		return err == nil, fmt.Sprint(err)
	})
	return d
}

// submit is an SMS-SUBMIT that the network took, a line of vmodem's log.
type submit struct {
	MR          uint8
	Destination string
	Text        string
	Data        []byte
	Report      bool
	Concat      *struct{ Reference, Total, Number int }
	Ports       *struct{ Destination, Source int }
	Raw         string
}

// number is that of the part, from 1.
func (s submit) number() int {
	if s.Concat == nil {
		return 1
	}
	return s.Concat.Number
}

// taken is all that the network took from this dongle, in order.
func (d *dongle) taken(t *testing.T) (all []submit) {
	t.Helper()
	log, err := os.ReadFile(d.port() + ".jsonl")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(log)) {
		if !strings.HasSuffix(line, "\n") {
			break // being written
		}
		var s submit
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		all = append(all, s)
	}
	return all
}

// to is what was taken for a number, in order.
func to(number string, all []submit) (found []submit) {
	for _, s := range all {
		if s.Destination == number {
			found = append(found, s)
		}
	}
	return found
}

// text is what the phone shows of these parts. It wants them whole: once each, in order, with one
// reference.
func text(t *testing.T, parts []submit) string {
	t.Helper()
	checkWhole(t, parts)
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text)
	}
	return b.String()
}

func checkWhole(t *testing.T, parts []submit) {
	t.Helper()
	if len(parts) == 0 {
		t.Fatal("the network took no part")
	}
	if len(parts) == 1 && parts[0].Concat == nil {
		return
	}
	for i, p := range parts {
		if p.Concat == nil || p.Concat.Number != i+1 || p.Concat.Total != len(parts) ||
			p.Concat.Reference != parts[0].Concat.Reference {
			t.Fatalf("part %d of %d: concatenation %+v, first %+v", i+1, len(parts), p.Concat, parts[0].Concat)
		}
	}
}

// air is everything that left by radio: recipient and number of part to what the network took.
type air map[airKey]submit

type airKey struct {
	recipient string
	part      int // from 1
}

// onAir reads the logs of the dongles. A part that was taken twice is the fault that must not be.
func onAir(t *testing.T, dongles ...*dongle) air {
	t.Helper()
	all := air{}
	for _, d := range dongles {
		for _, s := range d.taken(t) {
			k := airKey{s.Destination, s.number()}
			if first, twice := all[k]; twice {
				t.Errorf("part %d to %s was sent twice: TP-MR %d and %d", k.part, k.recipient, first.MR, s.MR)
			}
			all[k] = s
		}
	}
	return all
}

// parts are those to a number, in the order of their numbers.
func (a air) parts(number string) (found []submit) {
	for k, s := range a {
		if k.recipient == number {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(x, y submit) int { return x.number() - y.number() })
	return found
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"dongled/modem/virtual"
)

// records writes what must outlive the process: the log of submissions and the SIM's TP-MR. The
// dongle's engine calls it before it answers the TE, so a TE that saw +CMGS finds it written even
// if this process is killed at once.
type records struct {
	log   *os.File // nil: no log
	state string   // empty: no state
	err   error    // the first failure, read when the engine has ended
}

// line is one submission in the log. Destination has a + if the type of number is international.
type line struct {
	Time        time.Time `json:"time"`
	MR          uint8     `json:"mr"`
	Destination string    `json:"destination"`
	Text        string    `json:"text,omitempty"`
	Data        []byte    `json:"data,omitempty"` // base64
	Report      bool      `json:"report"`
	Flash       bool      `json:"flash,omitempty"`
	Concat      *concat   `json:"concat,omitempty"`
	Ports       *ports    `json:"ports,omitempty"`
	Raw         string    `json:"raw"` // SCA and TPDU in hexadecimal digits
}

type concat struct {
	Reference uint16 `json:"reference"`
	Total     uint8  `json:"total"`
	Number    uint8  `json:"number"`
	Wide      bool   `json:"wide,omitempty"`
}

type ports struct {
	Destination uint16 `json:"destination"`
	Source      uint16 `json:"source"`
}

func (r *records) submitted(s virtual.Submission) {
	if r.log == nil {
		return
	}
	b, err := json.Marshal(line{
		Time: s.At, MR: s.MR, Destination: s.Submit.Destination, Text: s.Submit.Text,
		Data: s.Submit.Data, Report: s.Submit.Report, Flash: s.Submit.Flash,
		Concat: (*concat)(s.Submit.Concat), Ports: (*ports)(s.Submit.Ports),
		Raw: strings.ToUpper(fmt.Sprintf("%x", s.Raw)),
	})
	if err == nil {
		_, err = r.log.Write(append(b, '\n'))
	}
	r.keep(err)
}

func (r *records) referenced(mr uint8) {
	if r.state == "" {
		return
	}
	fresh := r.state + ".new"
	err := os.WriteFile(fresh, []byte(strconv.Itoa(int(mr))+"\n"), 0o644)
	if err == nil {
		err = os.Rename(fresh, r.state)
	}
	r.keep(err)
}

// lastMR reads the state; known is false when there is none yet.
func (r *records) lastMR() (mr uint8, known bool, err error) {
	if r.state == "" {
		return 0, false, nil
	}
	b, err := os.ReadFile(r.state)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 8)
	if err != nil {
		return 0, false, fmt.Errorf("%s holds no TP-MR 0 to 255, remove it to begin anew: %w", r.state, err)
	}
	return uint8(n), true, nil
}

func (r *records) keep(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *records) failure() error { return r.err }

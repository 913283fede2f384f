package virtual

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"dongled/pdu"
)

// Action is what a fault does.
type Action string

// The actions, and where each may stand (the first is where it stands unless On says otherwise).
const (
	NoPrompt      Action = "no-prompt"      // prompt: the PDU is awaited, but no prompt is shown
	LatePrompt    Action = "late-prompt"    // prompt: after Delay
	CMS           Action = "cms"            // submit, prompt, command: +CMS ERROR: Code
	CME           Action = "cme"            // submit, prompt, command: +CME ERROR: Code
	PlainError    Action = "error"          // submit, prompt, command: ERROR
	Answer        Action = "answer"         // submit, command: Lines as the final result; prompt: as the prompt
	Silence       Action = "silence"        // submit, command: no answer, ever
	LateAnswer    Action = "late-answer"    // submit, command: after Delay
	NoReference   Action = "no-reference"   // submit: OK without +CMGS: <mr>
	Garbage       Action = "garbage"        // submit, prompt, command, line: octets, from Lines if given
	URCStorm      Action = "urc-storm"      // line, submit, prompt, command: result codes, from Lines if given
	ReportBefore  Action = "report-before"  // report: before +CMGS: <mr>
	ReportLate    Action = "report-late"    // report: Delay later than usual
	ReportTwice   Action = "report-twice"   // report: again after Delay
	ReportReorder Action = "report-reorder" // report: only after the next report
	ReportNever   Action = "report-never"   // report: lost
	ReportStatus  Action = "report-status"  // report: with TP-ST Code; if not final, the true one after Delay
	Unplug        Action = "unplug"         // submit (the PDU was taken), prompt, command; back after Return
)

// Places where a fault stands besides a command, which is named as in the standard: CSQ, &F, ^X.
const (
	OnPrompt = "prompt" // +CMGS was given, the prompt is due
	OnSubmit = "submit" // a well-formed SMS-SUBMIT was given to a registered ME
	OnReport = "report" // a status report was asked for by a message the network took
	OnLine   = "line"   // a line of an answer, or a prompt, is about to be sent
)

// Network says whether the network took the PDU of a fault at submit.
type Network string

// Without either, it does unless the answer is an error.
const (
	Takes  Network = "takes"
	Misses Network = "misses"
)

// Fault is one thing that goes wrong, as data. It stands at a place, may be narrowed to arguments
// or a destination, and fires from the Nth time on: once, or Count times, or at every Every-th
// time. When several fire at once, each does its part; of two results the later in the list wins.
type Fault struct {
	On    string `yaml:"on"`
	Args  string `yaml:"args"` // command: only with exactly these parameters
	To    string `yaml:"to"`   // submit and report: only to this number
	Nth   int    `yaml:"nth"`  // from 1; 0 is 1
	Every int    `yaml:"every"`
	Count int    `yaml:"count"` // 0 is 1 without Every, no end with it

	Do      Action        `yaml:"do"` // in YAML the code or delay may follow: "cms 38", "late-answer 135s"
	Code    int           `yaml:"code"`
	Delay   time.Duration `yaml:"delay"`
	Network Network       `yaml:"network"`
	Return  time.Duration `yaml:"return"` // unplug: plugged in again after this; 0 is never
	Lines   []string      `yaml:"lines"`
}

// places of each action, the default first; onCommand stands for any command.
const onCommand = "command"

var places = map[Action][]string{
	NoPrompt:      {OnPrompt},
	LatePrompt:    {OnPrompt},
	CMS:           {OnSubmit, OnPrompt, onCommand},
	CME:           {OnSubmit, OnPrompt, onCommand},
	PlainError:    {OnSubmit, OnPrompt, onCommand},
	Answer:        {OnSubmit, OnPrompt, onCommand},
	Silence:       {OnSubmit, onCommand},
	LateAnswer:    {OnSubmit, onCommand},
	NoReference:   {OnSubmit},
	Garbage:       {OnSubmit, OnPrompt, onCommand, OnLine},
	URCStorm:      {OnLine, OnSubmit, OnPrompt, onCommand},
	ReportBefore:  {OnReport},
	ReportLate:    {OnReport},
	ReportTwice:   {OnReport},
	ReportReorder: {OnReport},
	ReportNever:   {OnReport},
	ReportStatus:  {OnReport},
	Unplug:        {OnSubmit, OnPrompt, onCommand},
}

// place is the kind of place that On names.
func (f *Fault) place() string {
	switch f.On {
	case OnPrompt, OnSubmit, OnReport, OnLine:
		return f.On
	case "":
		if p := places[f.Do]; len(p) > 0 {
			return p[0]
		}
	}
	return onCommand
}

// Validate says what is wrong with a fault, all at once; the author of the script must mend it.
func (f *Fault) Validate() error {
	allowed, known := places[f.Do]
	if !known {
		return fmt.Errorf("do: %q is no action", f.Do)
	}
	var errs []error
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	at := f.place()
	coded := f.Do == CMS || f.Do == CME || f.Do == ReportStatus
	timed := f.Do == LatePrompt || f.Do == LateAnswer || f.Do == ReportLate
	wrong(!slices.Contains(allowed, at), "on: %s cannot stand at %q", f.Do, f.On)
	wrong(coded && (f.Code < 0 || f.Code > 999), "code: %d is not 0 to 999", f.Code)
	wrong(f.Do == ReportStatus && f.Code > 255, "code: %d is no TP-ST", f.Code)
	wrong(!coded && f.Code != 0, "code: %s has none", f.Do)
	wrong(timed && f.Delay <= 0, "delay: %s needs one", f.Do)
	wrong(f.Do == Answer && len(f.Lines) == 0, "lines: answer needs them")
	wrong(f.Delay < 0 || f.Return < 0, "delay, return: negative")
	wrong(f.Nth < 0 || f.Every < 0 || f.Count < 0, "nth, every, count: negative")
	wrong(f.Return > 0 && f.Do != Unplug, "return: only for unplug")
	wrong(f.Network != "" && f.Network != Takes && f.Network != Misses, "network: %q is not takes or misses", f.Network)
	wrong(f.Network != "" && at != OnSubmit, "network: only at submit")
	wrong(f.Args != "" && at != onCommand, "args: only for a command")
	wrong(f.To != "" && at != OnSubmit && at != OnReport, "to: only at submit and report")
	return errors.Join(errs...)
}

// ParseFaults reads a list of faults in YAML, of which JSON is a part. Unknown keys and impossible
// faults are errors that name the fault by its number, from 1.
func ParseFaults(script []byte) ([]Fault, error) {
	var faults []Fault
	dec := yaml.NewDecoder(bytes.NewReader(script))
	dec.KnownFields(true)
	if err := dec.Decode(&faults); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("fault script: %w", err)
	}
	for i := range faults {
		f := &faults[i]
		err := f.readArgument()
		if err == nil {
			err = f.Validate()
		}
		if err != nil {
			return nil, fmt.Errorf("fault script: fault %d: %w", i+1, err)
		}
	}
	return faults, nil
}

// readArgument takes the code or the delay off "cms 38" and "late-answer 135s".
func (f *Fault) readArgument() error {
	action, argument, found := strings.Cut(string(f.Do), " ")
	if !found {
		return nil
	}
	f.Do = Action(action)
	argument = strings.TrimSpace(argument)
	if code, err := strconv.ParseInt(argument, 0, 0); err == nil {
		f.Code = int(code)
		return nil
	}
	delay, err := time.ParseDuration(argument)
	if err != nil {
		return fmt.Errorf("do: %q is neither a code nor a duration", argument)
	}
	f.Delay = delay
	return nil
}

// armed is a fault with what it has seen.
type armed struct {
	Fault
	seen, fired int
}

// AddFaults arms more faults; they count from now. It panics as New does.
func (d *Dongle) AddFaults(faults ...Fault) {
	d.lock()
	defer d.unlock()
	d.arm(faults)
}

// ClearFaults takes back all faults, those of Options too. What one has begun goes on.
func (d *Dongle) ClearFaults() {
	d.lock()
	defer d.unlock()
	d.faults = nil
}

func (d *Dongle) arm(faults []Fault) {
	for _, f := range faults {
		if err := f.Validate(); err != nil {
			panic("virtual: invalid fault: " + err.Error())
		}
		if at := f.place(); at != onCommand {
			f.On = at
		} else {
			f.On = strings.ToUpper(strings.TrimPrefix(f.On, "+"))
		}
		d.faults = append(d.faults, armed{Fault: f})
	}
}

// fire counts that a place was reached, and returns the faults whose turn it is. mu is held.
func (d *Dongle) fire(on, args, to string) (fired []*Fault) {
	for i := range d.faults {
		f := &d.faults[i]
		if f.On != on || f.Args != "" && f.Args != args || f.To != "" && !pdu.SameNumber(f.To, to) {
			continue
		}
		f.seen++
		if f.due() {
			f.fired++
			fault := f.Fault // AddFaults may move the list while the engine sleeps on this one
			fired = append(fired, &fault)
		}
	}
	return fired
}

func (f *armed) due() bool {
	since := f.seen - max(f.Nth, 1)
	limit := f.Count
	if limit == 0 && f.Every == 0 {
		limit = 1
	}
	return since >= 0 && since%max(f.Every, 1) == 0 && (limit == 0 || f.fired < limit)
}

// verbatim is a final result that is sent as it stands.
type verbatim string

func (v verbatim) Error() string { return string(v) }

func (f *Fault) text() string { return strings.Join(f.Lines, "\r\n") }

// result is the final result code that a fault stands for.
func (f *Fault) result() error {
	switch f.Do {
	case CMS:
		return cmsError(f.Code)
	case CME:
		return cmeError(f.Code)
	case Answer:
		return verbatim(f.text())
	}
	return errSyntax
}

// disturb does what faults at a command or prompt do. An error is the final result, errPending
// that there is none.
func (s *session) disturb(fired []*Fault) (result error) {
	for _, f := range fired {
		switch f.Do {
		case CMS, CME, PlainError, Answer:
			result = f.result()
		case Silence:
			result = errPending
		case LateAnswer, LatePrompt:
			if !s.sleep(f.Delay) {
				return errPending
			}
		case Unplug:
			if s.sleep(f.Delay) {
				s.d.pullOutFor(f.Return)
			}
			return errPending
		default:
			s.noise(f)
		}
	}
	return result
}

// pullOutFor unplugs, and plugs in again after a time unless that is 0. mu is held.
func (d *Dongle) pullOutFor(back time.Duration) {
	d.pullOut()
	if back > 0 {
		d.later(back, d.plugIn)
	}
}

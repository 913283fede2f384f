package virtual

import (
	"cmp"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"time"

	"dongled/pdu"
)

// maxTPDU is the longest SMS-SUBMIT in octets: 24 of header and address, 140 of user data
// (TS 23.040 9.2.2.2).
const maxTPDU = 164

// sendingCommands are 27.005 3.5.1 and 3.5.6.
var sendingCommands = map[string]command{
	"CMGS": {needs: simForCMS, do: (*session).cmgs},
	"CMMS": {do: parameter("CMMS", 2, func(p *settings) *int { return &p.moreMessages })},
}

// cmgs is +CMGS=<length> in PDU mode, up to the prompt.
func (s *session) cmgs(c call) error {
	if c.form == testForm {
		return nil
	}
	p := c.params()
	if err := s.inPDUMode(p); err != nil {
		return err
	}
	length, err := p.number(0, 0)
	if c.form != setForm || err != nil || len(p) != 1 {
		return errSyntax
	}
	if length < 1 || length > maxTPDU {
		return cmsInvalidPDU
	}
	var fired []*Fault
	if len(s.d.faults) > 0 {
		fired = s.d.fire(OnPrompt, "", "")
	}
	if !s.sleep(s.d.opts.PromptDelay) {
		return errPending
	}
	prompt := cmp.Or(s.d.opts.Quirks.Prompt, "\r\n> ")
	for _, f := range fired {
		switch f.Do {
		case NoPrompt:
			prompt = ""
		case Answer:
			prompt = f.text()
		default:
			if err := s.disturb([]*Fault{f}); err != nil {
				return err
			}
		}
	}
	s.between()
	s.beginEntry(length)
	s.answer = append(s.answer, prompt...)
	s.flush()
	return errPending
}

// submit is the rest of +CMGS, after Ctrl-Z.
func (s *session) submit() {
	sub, err := s.readEntry()
	if err != nil {
		s.final(err)
		return
	}
	out := s.d.outcome(sub.Submit.Destination)
	sub.MR = s.d.sim.nextMR()
	var plan []planned
	if out.taken {
		s.d.take(sub)
		plan = s.d.plan(&sub)
	}
	s.tell(sub, out.taken)
	if s.sleep(s.d.opts.SubmitDelay+out.delay) && !out.silent {
		s.answerSubmit(sub.MR, out, plan)
	}
	if out.unplug != nil {
		s.d.pullOutFor(out.unplug.Return)
	}
	s.d.dispatch(plan, false)
}

// answerSubmit sends what comes before the final result code, and that code.
func (s *session) answerSubmit(mr uint8, out outcome, plan []planned) {
	s.flush()
	s.d.dispatch(plan, true)
	for _, f := range out.noise {
		s.noise(f)
	}
	if out.result == nil && !out.noReference {
		s.between()
		line := strconv.AppendUint(append(make([]byte, 0, 16), "+CMGS: "...), uint64(mr), 10)
		s.answer = s.d.appendLine(s.answer, string(line))
	}
	s.final(out.result)
}

// tell calls the owner back about a submission, before the TE hears of it.
func (s *session) tell(sub Submission, taken bool) {
	o := &s.d.opts
	if o.OnReference == nil && (o.OnSubmit == nil || !taken) {
		return
	}
	s.unlocked(func() {
		if o.OnReference != nil {
			o.OnReference(sub.MR)
		}
		if o.OnSubmit != nil && taken {
			o.OnSubmit(sub)
		}
	})
}

// readEntry checks what was entered as far as the ME and then the network do: the announced
// length, the card, the air, the service centre, the TPDU.
func (s *session) readEntry() (Submission, error) {
	e := &s.entry
	raw := make([]byte, hex.DecodedLen(len(e.hex)))
	n, err := hex.Decode(raw, e.hex)
	if err != nil || e.tooBig || n < 2 || n != 1+int(raw[0])+e.length {
		return Submission{}, cmsInvalidPDU
	}
	if err := s.d.require(simForCMS); err != nil {
		return Submission{}, err
	}
	switch {
	case !s.d.registered():
		return Submission{}, cmsNoNetwork
	case raw[0] == 0 && s.d.sim.smsc == "":
		return Submission{}, cmsSMSCUnknown
	}
	sub, err := pdu.DecodeSubmit(raw)
	switch {
	case errors.Is(err, pdu.ErrNotSubmit):
		return Submission{}, cmsUnknownType
	case err != nil:
		return Submission{}, cmsInvalidMandatory
	}
	return Submission{At: time.Now(), Session: s.id, Raw: slices.Clip(raw), Submit: sub}, nil
}

// outcome is how a submission ends after the faults that stand on it.
type outcome struct {
	taken       bool  // the network has the message
	result      error // the final result code; nil is OK
	noReference bool  // OK without +CMGS: <mr>
	silent      bool
	delay       time.Duration
	noise       []*Fault
	unplug      *Fault
}

func (d *Dongle) outcome(destination string) outcome {
	out := outcome{taken: true}
	if len(d.faults) == 0 {
		return out
	}
	for _, f := range d.fire(OnSubmit, "", destination) {
		switch f.Do {
		case CMS, CME, PlainError, Answer:
			out.result, out.taken = f.result(), false
		case Silence:
			out.silent = true
		case LateAnswer:
			out.delay += f.Delay
		case NoReference:
			out.noReference = true
		case Unplug:
			out.unplug, out.silent = f, true
			out.delay += f.Delay
		default:
			out.noise = append(out.noise, f)
		}
		switch f.Network {
		case Takes:
			out.taken = true
		case Misses:
			out.taken = false
		}
	}
	return out
}

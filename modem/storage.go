package modem

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/warthog618/modem/info"
)

// The memories for short messages that hold what came (TS 27.005 section 3.1): SIM, dongle, both
// as one, status reports. BM, of cell broadcasts, and TA are nobody's inbox.
var memoryNames = []string{"SM", "ME", "MT", "SR"}

// memoriesAny are those worth a try where +CPMS=? has no answer that can be read.
var memoriesAny = []string{"SM", "ME", "SR"}

// storageEvery is how often the room left is looked at.
const storageEvery = time.Minute

// memories reads which memories there are and which of them the dongle has chosen for itself: mem1
// to read, mem2 to write, mem3 to receive into (+CPMS, TS 27.005 section 3.2.2).
func (s *session) memories() error {
	l := s.stored
	args, err := s.askLightly("+CPMS=?", "+CPMS")
	if err != nil {
		return err
	}
	if l.names = parseMemories(args); len(l.names) == 0 {
		l.names = memoriesAny
	}
	if args, err = s.askLightly("+CPMS?", "+CPMS"); err != nil {
		return err
	}
	chosen := parseCPMS(args)
	if len(chosen) == 0 || chosen[0].Name == "" {
		return nil
	}
	l.chosen = chosen[0].Name
	l.homeTo(chosen)
	s.noteStorage(chosen)
	return nil
}

// homeTo notes what is to be chosen when nothing is looked for: mem3 for mem1 too, because some
// dongles count the places of +CMTI in mem1. SR is what an earlier life left chosen.
func (l *stored) homeTo(chosen []Memory) {
	l.home = nil
	for _, m := range chosen {
		l.home = append(l.home, m.Name)
	}
	received := l.home[len(l.home)-1]
	if received == "SR" {
		received = l.names[0]
	}
	for i, name := range l.home {
		if i == 0 || name == "SR" {
			l.home[i] = received
		}
	}
}

// selectHome chooses the memories anew that looking around has left.
func (s *session) selectHome() error {
	l := s.stored
	l.chosen = l.home[0]
	err := s.do(`+CPMS="` + strings.Join(l.home, `","`) + `"`)
	if _, refused := asRefusal(err); refused {
		s.log.Debug("the modem does not go back to its memories", "memories", l.home)
		l.chosen = ""
		l.home = nil // not asked again, and each one is chosen before use
		return nil
	}
	return err
}

// choose makes memory mem1. The error may be a *refusal.
func (s *session) choose(memory string) error {
	l := s.stored
	if l.chosen == memory {
		return nil
	}
	l.chosen = ""
	cmd := `+CPMS="` + memory + `"`
	if s.w.muted(cmd) {
		return &refusal{line: "silence to AT" + cmd}
	}
	lines, err := s.command(cmd, want{prefix: "+CPMS"}, commandTimeout)
	s.w.noteSilence(cmd, err)
	if err != nil {
		return err
	}
	l.chosen = memory
	for _, line := range lines {
		if got := parseCPMS(info.TrimPrefix(line, "+CPMS")); len(got) > 0 {
			got[0].Name = memory
			s.noteStorage(got[:1])
		}
	}
	return nil
}

// lookAtStorage asks how full the chosen memories are, and has them swept if there is more in them
// than what was left there.
func (s *session) lookAtStorage() error {
	s.stored.lookedAt = time.Now()
	args, err := s.askLightly("+CPMS?", "+CPMS")
	if err != nil {
		return err
	}
	l := s.stored
	now := parseCPMS(args)
	s.noteStorage(now)
	if l.anyTold() || len(l.held) > 0 {
		return nil // it is known what is there
	}
	for _, m := range now {
		name := strings.TrimSuffix(m.Name, "_P")
		if left, swept := l.left[name]; swept {
			s.unswept = s.unswept || m.Used > left
			l.left[name] = m.Used // also if nothing is found: some count what cannot be seen
		}
	}
	return nil
}

// noteDeleted counts one less in a memory: those that nobody chooses for long are not looked at.
func (s *session) noteDeleted(memory string) {
	if m, known := s.storage(memory); known && m.Used > 0 {
		m.Used--
		s.noteStorage([]Memory{m})
	}
}

// noteStorage puts named memories into the status, each at the place where it was. MT is the sum
// of others, and SIMCom's SM_P and ME_P only say which is preferred.
func (s *session) noteStorage(memories []Memory) {
	s.w.update(func(st *Status) {
		for _, m := range memories {
			m.Name = strings.TrimSuffix(m.Name, "_P")
			at := func(name string) int {
				return slices.IndexFunc(st.Storage[:], func(m Memory) bool { return m.Name == name })
			}
			i := at(m.Name)
			if i < 0 && (m.Name != "MT" || st.Storage[0].Name == "") {
				i = at("")
			}
			if i >= 0 && m.Total > 0 {
				st.Storage[i] = m
			}
		}
	})
}

// storage is what the status says of a memory.
func (s *session) storage(name string) (m Memory, known bool) {
	all := s.w.Status().Storage
	i := slices.IndexFunc(all[:], func(m Memory) bool { return m.Name == name })
	if i < 0 {
		return Memory{}, false
	}
	return all[i], true
}

// parseMemories reads those of memoryNames in <mem1> of +CPMS=?:
// (list of mem1)[,(list of mem2)[,(list of mem3)]], all of it in parentheses again on Wavecom's.
func parseMemories(args string) []string {
	first, _, _ := strings.Cut(strings.TrimLeft(args, "( "), ")")
	offered := strings.Split(first, ",")
	return slices.DeleteFunc(slices.Clone(memoryNames), func(name string) bool {
		return !slices.ContainsFunc(offered, func(o string) bool { return strings.Trim(o, ` "`) == name })
	})
}

// parseCPMS reads +CPMS? as <mem1>,<used1>,<total1>,<mem2>,… and the answer to a choice as
// <used1>,<total1>,<used2>,…, without names. What does not fit ends it.
func parseCPMS(args string) []Memory {
	var list []Memory
	fields := strings.Split(args, ",")
	for len(fields) >= 2 {
		var m Memory
		if _, err := strconv.Atoi(strings.TrimSpace(fields[0])); err != nil {
			m.Name = strings.Trim(fields[0], ` "`)
			fields = fields[1:]
		}
		if len(fields) < 2 {
			break
		}
		used, errUsed := strconv.Atoi(strings.TrimSpace(fields[0]))
		total, errTotal := strconv.Atoi(strings.TrimSpace(fields[1]))
		if errUsed != nil || errTotal != nil || used < 0 || total < 0 || len(list) == 3 {
			break
		}
		m.Used, m.Total = used, total
		list = append(list, m)
		fields = fields[2:]
	}
	return list
}

// A slot is what a place of a memory holds, by +CMGL or +CMGR.
type slot struct {
	index int
	// own says that it was written by the terminal: a stored SMS-SUBMIT, sent or not.
	own bool
	// text is SCA and TPDU in hex, or what stands there instead; empty if nothing does.
	text string
	// length is that of the TPDU in octets as the dongle tells it; negative if it does not.
	length int
}

// whole says that the text is a PDU of the length told. One that is not may have been spoilt on
// the line, or belong to a dongle that counts in its own way.
func (sl slot) whole() bool {
	raw, err := hex.DecodeString(sl.text)
	return err == nil && len(raw) > 0 && (sl.length < 0 || len(raw) == 1+int(raw[0])+sl.length)
}

// parseSlots reads the lines of +CMGL: <index>,<stat>,[<alpha>],<length> (TS 27.005 section 3.4.2)
// or, with an index, of +CMGR: <stat>,[<alpha>],<length> (section 3.4.3), each followed by the PDU
// (section 4.1). Of several lines behind one header the PDU is the first that has the length.
func parseSlots(lines []string, index int) []slot {
	var list []slot
	for _, line := range lines {
		args, listed := strings.CutPrefix(line, "+CMGL:")
		if !listed {
			var read bool
			if args, read = strings.CutPrefix(line, "+CMGR:"); !read {
				if n := len(list); n > 0 {
					list[n-1].add(line)
				}
				continue
			}
		}
		at, stat := index, 0
		if listed {
			n, err := strconv.Atoi(field(args, 0))
			if err != nil || n < 0 {
				continue
			}
			at, stat = n, 1
		}
		state := field(args, stat)
		list = append(list, slot{index: at, own: state == "2" || state == "3", length: lastNumber(args)})
	}
	return list
}

// add takes a line behind the header.
func (sl *slot) add(line string) {
	if better := (slot{text: line, length: sl.length}); sl.text == "" || !sl.whole() && better.whole() {
		sl.text = line
	}
}

// lastNumber is the last of the fields of an answer; -1 if that is no number.
func lastNumber(args string) int {
	n, err := strconv.Atoi(strings.TrimSpace(args[strings.LastIndexByte(args, ',')+1:]))
	if err != nil || n < 0 {
		return -1
	}
	return n
}

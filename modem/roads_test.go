package modem_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
)

// A shelf is the memories of a scripted dongle, by name and place, as lines "<stat>,<alpha>,<length>"
// and PDU. It says what it likes about them, but forgets what is deleted.
type shelf struct {
	p      *peer
	places map[string]map[int]string
}

// onShelf makes p answer from memories.
func onShelf(p *peer, places map[string]map[int]string) *shelf {
	sh := &shelf{p, places}
	names := slices.Sorted(maps.Keys(places))
	p.answer("+CPMS=?", ok(`+CPMS: ("`+strings.Join(names, `","`)+`"),("SM"),("SM")`))
	p.answer("+CPMS?", ok(`+CPMS: "SM",0,10,"SM",0,10,"SM",0,10`))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answering = sh.answer
	return sh
}

// answer is called with p.mu held.
func (sh *shelf) answer(cmd string) (string, bool) {
	held := sh.places[sh.p.memory]
	if _, known := sh.places[sh.p.memory]; !known && sh.p.memory != "" && strings.HasPrefix(cmd, "+CPMS=") && cmd != "+CPMS=?" {
		return "\r\n+CMS ERROR: 302\r\n", true
	}
	verb, arg, _ := strings.Cut(cmd, "=")
	index, err := strconv.Atoi(arg)
	switch {
	case verb == "+CPMS" && err != nil && arg != "?" && arg != "":
		return ok(fmt.Sprintf("+CPMS: %d,10,0,10,0,10", len(held))), true
	case verb == "+CMGL":
		if text, scripted := sh.p.answers[cmd]; scripted {
			return text, true
		}
		var lines []string
		for _, i := range slices.Sorted(maps.Keys(held)) {
			lines = append(lines, fmt.Sprintf("+CMGL: %d,%s", i, held[i]))
		}
		return ok(lines...), true
	case verb == "+CMGR" && err == nil:
		if text, there := held[index]; there {
			return ok("+CMGR: " + text), true
		}
		return "\r\n+CMS ERROR: 321\r\n", true
	case verb == "+CMGD" && err == nil:
		if _, there := held[index]; !there {
			return "\r\n+CMS ERROR: 321\r\n", true
		}
		delete(held, index)
		return ok(), true
	}
	return "", false
}

// left is what is still there, as "SM1 SM3 ME0".
func (sh *shelf) left() string {
	sh.p.mu.Lock()
	defer sh.p.mu.Unlock()
	var list []string
	for memory, held := range sh.places {
		for i := range held {
			list = append(list, memory+strconv.Itoa(i))
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func (sh *shelf) put(memory string, index int, text string) {
	sh.p.mu.Lock()
	defer sh.p.mu.Unlock()
	sh.places[memory][index] = text
}

func inbox(text string) string { return "0,,24\r\n" + oneCharacter(text) }
func report(mr int) string     { return "1,,25\r\n" + statusReport(mr) }
func draft(stat int) string {
	return strconv.Itoa(stat) + ",,19\r\n0011000B911326880736F40000AA05E8329BFD06"
}
func oneCharacter(c string) string {
	return fmt.Sprintf("00040B911326880736F400001110117195514001%02X", c[0])
}

// Every road on which a message or a report in a memory can reach us.
func TestRoadsToMemory(t *testing.T) {
	tests := map[string]struct {
		places  map[string]map[int]string
		urc     string
		texts   []string
		reports []int
		left    string
	}{
		"message, told": {
			map[string]map[int]string{"SM": {3: inbox("a")}}, "+CMTI: \"SM\",3", []string{"a"}, nil, "",
		},
		"message at place 0": {
			map[string]map[int]string{"SM": {}, "ME": {0: inbox("a")}}, "+CMTI: \"ME\",0", []string{"a"}, nil, "",
		},
		"message in another memory than told": {
			map[string]map[int]string{"SM": {}, "ME": {3: inbox("a")}}, "+CMTI: \"SM\",3", []string{"a"}, nil, "",
		},
		"message in a memory that cannot be chosen": {
			map[string]map[int]string{"SM": {4: inbox("a")}}, "+CMTI: \"MT\",4", []string{"a"}, nil, "",
		},
		"message somewhere": {
			map[string]map[int]string{"SM": {}, "ME": {7: inbox("a")}}, "+CMTI: \"SM\",-1", []string{"a"}, nil, "",
		},
		"message told of without a place": {
			map[string]map[int]string{"SM": {7: inbox("a")}}, "+CMTI: \"SM\"", []string{"a"}, nil, "",
		},
		"message in a memory with a strange name": {
			map[string]map[int]string{"SM": {7: inbox("a")}}, "+CMTI: \"S M\"\",\"7", []string{"a"}, nil, "",
		},
		"memory told wins over the one chosen": {
			map[string]map[int]string{"SM": {3: inbox("s")}, "ME": {3: inbox("m")}}, "+CMTI: \"ME\",3", []string{"m"}, nil, "SM3",
		},
		"told twice": {
			map[string]map[int]string{"SM": {3: inbox("a")}}, "+CMTI: \"SM\",3\r\n+CMTI: \"SM\",3", []string{"a"}, nil, "",
		},
		"report told of as a message": {
			map[string]map[int]string{"SM": {3: report(5)}}, "+CMTI: \"SM\",3", nil, []int{5}, "",
		},
		"report at place 0": {
			map[string]map[int]string{"SM": {}, "SR": {0: report(5)}}, "+CDSI: \"SR\",0", nil, []int{5}, "",
		},
		"report in ME, as ZTE's": {
			map[string]map[int]string{"SM": {}, "ME": {3: report(5)}}, "+CDSI: \"SM\",3", nil, []int{5}, "",
		},
		"report in SR, told of as SM 0, as Quectel's": {
			map[string]map[int]string{"SM": {}, "SR": {4: report(5)}}, "+CDSI: \"SM\",0", nil, []int{5}, "",
		},
		"report, a draft where it is told": {
			map[string]map[int]string{"SM": {3: draft(2)}, "SR": {3: report(5)}}, "+CDSI: \"SM\",3", nil, []int{5}, "SM3",
		},
		"report in MT alone": {
			map[string]map[int]string{"MT": {3: report(5)}}, "+CDSI: \"MT\",3", nil, []int{5}, "",
		},
		"report with Wavecom's dirt": {
			map[string]map[int]string{"SM": {}, "SR": {1: ",,27\r\n000000FF00" + statusReport(5)[2:]}}, "+CDSI: \"SR\",1", nil, []int{5}, "",
		},
		"full": {
			map[string]map[int]string{"SM": {1: inbox("a"), 2: report(5)}, "ME": {1: inbox("b")}}, `^SMMEMFULL: "SM"`, []string{"a", "b"}, []int{5}, "",
		},
		"drafts and sent ones": {
			map[string]map[int]string{"SM": {1: draft(2), 2: draft(3), 3: inbox("a"), 4: draft(0)}}, `+CIEV: "smsfull",1`, []string{"a"}, nil, "SM1 SM2 SM4",
		},
		"no hex": {
			map[string]map[int]string{"SM": {3: "0,,23\r\n0004XX911326880736F40000nonsense"}}, "+CMTI: \"SM\",3", []string{"?"}, nil, "",
		},
		"odd number of digits": {
			map[string]map[int]string{"SM": {3: "0,,23\r\n00040B911326880736F4000011101171955140010"}}, "+CMTI: \"SM\",3", []string{"?"}, nil, "",
		},
		"a header without its PDU": {
			map[string]map[int]string{"SM": {3: "0,,23"}}, "+CMTI: \"SM\",3", nil, nil, "SM3",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p, s := newPeer(), &sink{}
				p.answer("+CPMS=?", ok(`+CPMS: ("SM"),("SM"),("SM")`))
				w := start(t, modem.Config{Open: p.open, Sink: s})
				ready(t, w)
				time.Sleep(time.Minute)
				sh := onShelf(p, maps.Clone(test.places))
				p.hangUp(nil) // so that the memories are known anew
				sh.places, test.places = map[string]map[int]string{}, sh.places
				for memory := range test.places {
					sh.places[memory] = map[int]string{}
				}
				ready(t, w)
				synctest.Wait()
				for memory, held := range test.places {
					for i, text := range held {
						sh.put(memory, i, text)
					}
				}
				before := len(p.heard())
				p.urc("\r\n" + test.urc + "\r\n")
				time.Sleep(31 * time.Second) // of silence, before the storage is looked at again
				if got := s.texts(); !slices.Equal(got, test.texts) {
					t.Errorf("messages %q, want %q", got, test.texts)
				}
				if got := s.references(); !slices.Equal(got, test.reports) {
					t.Errorf("reports %v, want %v", got, test.reports)
				}
				if got := sh.left(); got != test.left {
					t.Errorf("left %q, want %q", got, test.left)
				}
				if t.Failed() {
					t.Logf("dialogue %q", p.heard()[before:])
				}
			})
		})
	}
}

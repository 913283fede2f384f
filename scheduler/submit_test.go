package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// numbers returns n different German mobile numbers.
func numbers(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("+4915112%06d", i)
	}
	return out
}

func TestSubmitRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		tests := []struct {
			name           string
			edit           func(*queue.Submission)
			field, problem string
		}{
			{"no text", func(s *queue.Submission) { s.Content.Text = "" },
				"textMessage.text", "the message is empty"},
			{"nothing but escapes", func(s *queue.Submission) { s.Content.Text = "\x1b\x1b" },
				"textMessage.text", "the message is empty"},
			{"not UTF-8", func(s *queue.Submission) { s.Content.Text = "a\xff" },
				"textMessage.text", "the text is not valid UTF-8"},
			{"more parts than allowed", func(s *queue.Submission) { s.Content.Text = strings.Repeat("a", 10*153+1) },
				"textMessage.text", "needs 11 parts of 10 allowed (messages.max_parts)"},
			{"more parts than a message can have", func(s *queue.Submission) { s.Content.Text = strings.Repeat("a", 255*153+1) },
				"textMessage.text", "needs more than 255 parts"},
			{"more data than allowed", func(s *queue.Submission) { s.Content = queue.Content{Data: make([]byte, 10*128+1), Port: 1} },
				"dataMessage.data", "needs 11 parts of 10 allowed (messages.max_parts)"},
			{"more data than a message can have", func(s *queue.Submission) { s.Content = queue.Content{Data: make([]byte, 255*128+1)} },
				"dataMessage.data", "needs more than 255 parts"},
			{"text and data", func(s *queue.Submission) { s.Content.Data = []byte{1} },
				"dataMessage.data", "the content is a text, or data with a port, not both"},
			{"unknown SIM", func(s *queue.Submission) { s.SIM = 2 },
				"simNumber", "SIM 2 not found; there are: 1, 3"},
			{"expired", func(s *queue.Submission) { s.ValidUntil = now.Add(-time.Second) },
				"validUntil", "message already expired"},
			{"expires now", func(s *queue.Submission) { s.ValidUntil = now },
				"validUntil", "message already expired"},
			{"begins after its end", func(s *queue.Submission) {
				s.ValidUntil, s.ScheduleAt = now.Add(time.Hour), now.Add(time.Hour+time.Second)
			}, "scheduleAt", "scheduleAt must be less than or equal to validUntil"},
			{"no recipient", func(s *queue.Submission) { s.Recipients = nil },
				"phoneNumbers", "must hold 1 to 100 numbers, not 0"},
			{"101 recipients", func(s *queue.Submission) { s.Recipients = numbers(101) },
				"phoneNumbers", "must hold 1 to 100 numbers, not 101"},
			{"not a number", func(s *queue.Submission) { s.Recipients = []string{"+4915112345678", "Mum"} },
				"phoneNumbers[1]", "failed to use phone in row 2: not a valid phone number; write it as + and country code, such as +4915112345678"},
			{"short code, validated", func(s *queue.Submission) { s.Recipients = []string{"22122"} },
				"phoneNumbers[0]", "failed to use phone in row 1: not a valid phone number; write it as + and country code, such as +4915112345678"},
			{"the same twice", func(s *queue.Submission) {
				s.Recipients = []string{"+447911123456", "+4915112345678", "+49 1511 2345678"}
			}, "phoneNumbers[2]", "phone numbers must be unique: the same as phoneNumbers[1]"},
			{"the same twice, unvalidated", func(s *queue.Submission) {
				s.Recipients, s.SkipPhoneValidation = []string{"22122", "2-21-22"}, true
			}, "phoneNumbers[1]", "phone numbers must be unique: the same as phoneNumbers[0]"},
			{"nothing to dial", func(s *queue.Submission) {
				s.Recipients, s.SkipPhoneValidation = []string{"Mum"}, true
			}, "phoneNumbers[0]", "failed to use phone in row 1: nothing in it can be dialled"},
			{"not addressable", func(s *queue.Submission) {
				s.Recipients, s.SkipPhoneValidation = []string{"123456789012345678901"}, true
			}, "phoneNumbers[0]", `failed to use phone in row 1: not a number that can be addressed: "123456789012345678901" has more than 20 digits`},
		}
		r := idle(t, scheduler.Options{MaxParts: 10}, newSIM(t, 3), newSIM(t, 1))
		for _, tt := range tests {
			sub := text("hello")
			sub.ID = "refused"
			tt.edit(&sub)
			before := slices.Clone(sub.Recipients)
			_, err := r.Submit(context.Background(), sub)
			var fe *queue.FieldError
			if !errors.As(err, &fe) || fe.Field != tt.field || fe.Problem != tt.problem {
				t.Errorf("%s: %v\n    want %s: %s", tt.name, err, tt.field, tt.problem)
			}
			if !slices.Equal(sub.Recipients, before) {
				t.Errorf("%s: the caller's recipients were changed to %q", tt.name, sub.Recipients)
			}
			if _, err := r.Get(context.Background(), "refused"); !errors.Is(err, queue.ErrNotFound) {
				t.Errorf("%s: a refused message is found: %v", tt.name, err)
			}
		}
		if _, total, err := r.List(context.Background(), queue.Filter{}); total != 0 || err != nil {
			t.Errorf("%d messages stored, %v", total, err)
		}
	})
}

func TestSubmitAccepts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		tests := []struct {
			name  string
			edit  func(*queue.Submission)
			parts int
		}{
			{"160 septets", func(s *queue.Submission) { s.Content.Text = strings.Repeat("a", 160) }, 1},
			{"161 septets", func(s *queue.Submission) { s.Content.Text = strings.Repeat("a", 161) }, 2},
			{"extension table counts twice", func(s *queue.Submission) { s.Content.Text = strings.Repeat("€", 81) }, 2},
			{"70 UCS-2", func(s *queue.Submission) { s.Content.Text = strings.Repeat("я", 70) }, 1},
			{"71 UCS-2", func(s *queue.Submission) { s.Content.Text = strings.Repeat("я", 71) }, 2},
			{"a blank", func(s *queue.Submission) { s.Content.Text = " " }, 1},
			{"255 parts", func(s *queue.Submission) { s.Content.Text = strings.Repeat("a", 255*153) }, 255},
			{"data to a port", func(s *queue.Submission) { s.Content = queue.Content{Data: make([]byte, 133), Port: 53739} }, 1},
			{"data to port 0", func(s *queue.Submission) { s.Content = queue.Content{Data: []byte{0}} }, 1},
			{"long data", func(s *queue.Submission) { s.Content = queue.Content{Data: make([]byte, 134), Port: 65535} }, 2},
			{"flash", func(s *queue.Submission) { s.Content.Flash = true }, 1},
			{"a SIM", func(s *queue.Submission) { s.SIM = 3 }, 1},
			{"100 recipients", func(s *queue.Submission) { s.Recipients = numbers(100) }, 1},
			{"still valid", func(s *queue.Submission) { s.ValidUntil = now.Add(time.Millisecond) }, 1},
			{"begins at its end", func(s *queue.Submission) {
				s.ValidUntil, s.ScheduleAt = now.Add(time.Hour), now.Add(time.Hour)
			}, 1},
			{"begins in the past", func(s *queue.Submission) { s.ScheduleAt = now.Add(-time.Hour) }, 1},
			{"short code, unvalidated", func(s *queue.Submission) {
				s.Recipients, s.SkipPhoneValidation = []string{"22122"}, true
			}, 1},
		}
		r := idle(t, scheduler.Options{}, newSIM(t, 1), newSIM(t, 3))
		for i, tt := range tests {
			sub := text("hello")
			sub.ID = fmt.Sprint("message-", i)
			tt.edit(&sub)
			m, err := r.Submit(context.Background(), sub)
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
				continue
			}
			if m.ID != sub.ID || m.State != queue.Pending || len(m.Recipients) != len(sub.Recipients) {
				t.Errorf("%s: accepted as %+v", tt.name, m)
			}
			if n := len(m.Recipients[0].Parts); n != tt.parts {
				t.Errorf("%s: %d parts, want %d", tt.name, n, tt.parts)
			}
		}
		if _, total, err := r.List(context.Background(), queue.Filter{}); total != len(tests) || err != nil {
			t.Errorf("%d messages stored of %d, %v", total, len(tests), err)
		}
	})
}

func TestSubmitNormalises(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := idle(t, scheduler.Options{Region: "DE"}, newSIM(t, 1))
		sub := text("hello")
		sub.Recipients = []string{"01511 2345678", "0044 7911 123456", "+1 (415) 555-2671"}
		m := r.get(r.post(sub))
		for i, want := range []string{"+4915112345678", "+447911123456", "+14155552671"} {
			if got := m.Recipients[i].Number; got != want {
				t.Errorf("recipient %d is %q, want %q", i, got, want)
			}
		}
		if len(m.ID) != 21 {
			t.Errorf("generated ID %q, want 21 characters", m.ID)
		}
	})
}

func TestUsedIDChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := idle(t, scheduler.Options{}, newSIM(t, 1))
		first := text("first")
		first.ID = "mine"
		r.post(first)
		second := text("second")
		second.ID = "mine"
		if _, err := r.Submit(context.Background(), second); !errors.Is(err, queue.ErrDuplicateID) {
			t.Errorf("second use of an ID: %v, want ErrDuplicateID", err)
		}
		if got := r.get("mine").Content.Text; got != "first" {
			t.Errorf("the message became %q", got)
		}
	})
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{}, sim)
		gone := text("sent")
		sent := r.post(gone)
		later := text("later")
		later.ScheduleAt = time.Now().Add(time.Hour)
		waiting := r.post(later)
		synctest.Wait()

		if m, err := r.Cancel(context.Background(), waiting); err != nil || m.State != queue.Cancelled {
			t.Errorf("cancel of a waiting message: %v, %v", m.State, err)
		}
		if _, err := r.Cancel(context.Background(), sent); !errors.Is(err, queue.ErrNotPending) {
			t.Errorf("cancel of a sent message: %v, want ErrNotPending", err)
		}
		time.Sleep(2 * time.Hour)
		if got := sim.texts(); !slices.Equal(got, []string{"sent"}) {
			t.Errorf("sent %q", got)
		}
	})
}

// TestSubmitForAbsentSIM: a SIM that had a number before is waited for, where SIMs come and go; one
// that never was is not.
func TestSubmitForAbsentSIM(t *testing.T) {
	for _, numbered := range []bool{false, true} {
		s, err := scheduler.Open(filepath.Join(t.TempDir(), "dongled.db"), scheduler.Options{Numbered: numbered})
		if err != nil {
			t.Fatal(err)
		}
		n, err := s.Number(t.Context(), "imsi:262010000000001")
		if err != nil {
			t.Fatal(err)
		}
		for sim, want := range map[int]bool{n: numbered, n + 1: false, 255: false} {
			m, err := s.Submit(t.Context(), queue.Submission{
				Content: queue.Content{Text: "hello"}, Recipients: []string{"+4915112345678"}, SIM: sim,
			})
			var field *queue.FieldError
			if taken := err == nil && m.State == queue.Pending; taken != want || !taken && (!errors.As(err, &field) || field.Field != "simNumber") {
				t.Errorf("numbered %v, SIM %d: %v, %v", numbered, sim, m.State, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

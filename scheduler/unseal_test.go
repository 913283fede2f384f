package scheduler_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dongled/pdu"
	"dongled/scheduler"
	"dongled/scheduler/outbox"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// These values were made with OpenSSL and Python's hashlib.pbkdf2_hmac.
const (
	passphrase = "correct horse"
	sealedHead = "$aes-256-cbc/pbkdf2-sha1$i=1$AAECAwQFBgcICQoLDA0ODw==$"

	sealedHi      = sealedHead + "sDE2OdlYUnXbgWzQjE4tcQ=="
	sealedEmpty   = sealedHead + "FTOrlotUr3tOxPWQQuEXjw=="
	sealedData    = sealedHead + "08GJZIYaAqysxPNG1nG4hQ=="                     // AP8=
	sealedPercent = sealedHead + "fuCLCVS3IYxWf9Fy6/9Z1Q=="                     // %%%
	sealedAlice   = sealedHead + "KOFcxGcXpjg+INVmFT/g5w=="                     // +4915112345678
	sealedSpaced  = sealedHead + "m/wX2jLA6D31Muu8bURx2aHeKFO+VzZh+t5bzi5LIRc=" // +49 151 12345678
	sealedBob     = sealedHead + "S0kzBaU4DH3H6mTuk1O9hg=="                     // +4916098765432
	sealedWords   = sealedHead + "9htnuq03pmZaBWSQUnFToQ=="                     // not a number
	sealedShort   = sealedHead + "MkeAvn3yyHjdflNc2Owyew=="                     // 12-34
	otherHi       = sealedHead + "vRogog7vhYT5ylG2VeUYWA=="                     // by battery staple
	otherAlice    = sealedHead + "NdQ3BAM/m/zzlg3/J+ZXYA=="
)

// sealedLong is a hundred and sixty-one times a.
const sealedLong = sealedHead + "MQFMXQ7ndyMEwSLQZCZ2duwEn2TA+SqQvo9A6j+Wn/yGgW6cBuy79gVREKpHUzAKB3vvalCsjkc1pPI9MoWtduqtJoRuScHODuYZFHdlg8iMtUbDqutxOeZebsn+8qjFZt/XKSx8dq1RR1mSHM1SlsfrTL+WfWdFPoMz6thaodHDkF7AWdVBINj/j8NE+AnQx3f9Kj11fIqP6Yz0dlh3d+QIAXlaxId2+mnYgzGI8IQ="

// sealed is a submission of a text that came encrypted.
func sealed(text string, to ...string) queue.Submission {
	return queue.Submission{Content: queue.Content{Text: text}, Recipients: to, Encrypted: true, Report: true}
}

// events are what outboxes told of.
type events struct {
	mu  sync.Mutex
	log []string
}

func (e *events) tell(_ *store.Tx, ev outbox.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.log = append(e.log, ev.Name+" "+ev.Ref+" "+string(ev.Payload))
}

func (e *events) told() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.log)
}

// TestEncrypted: it goes out in the clear, its report is found, and clients see ciphertext for ever.
func TestEncrypted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told events
		sim := newSIM(t, 1)
		sim.status.Number = "+4917000000000"
		r := start(t, scheduler.Options{Passphrase: passphrase, Told: told.tell}, sim)
		sub := sealed(sealedHi, sealedAlice)
		sub.ID, sub.Origin, sub.Meta = "a", "desk", []byte{0, 1}
		r.post(sub)
		synctest.Wait()
		r.expect("a", queue.Sent, "")
		sent := sim.sent()
		if len(sent) != 1 || sent[0].Text != "Hi" || sent[0].Destination != "+4915112345678" {
			t.Fatalf("the network got %+v", sent)
		}
		r.report(sent[0], 0)
		m := r.get("a")
		if m.State != queue.Delivered || !m.Encrypted || m.Content.Text != sealedHi || m.Recipients[0].Number != sealedAlice {
			t.Errorf("clients see %+v", m)
		}
		if m.Origin != "desk" || !slices.Equal(m.Meta, []byte{0, 1}) {
			t.Errorf("origin %q, meta %v", m.Origin, m.Meta)
		}
		base := `{"messageId":"a","phoneNumber":"` + sealedAlice + `","sender":"+4917000000000","recipient":"` + sealedAlice + `","simNumber":1,`
		now := time.Now().Format(outbox.TimeFormat)
		want := []string{
			`sms:sent a ` + base + `"partsCount":1,"sentAt":"` + now + `"}`,
			`sms:delivered a ` + base + `"deliveredAt":"` + now + `"}`,
		}
		if got := told.told(); !slices.Equal(got, want) {
			t.Errorf("events\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestEncryptedContent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{Passphrase: passphrase, MaxParts: 1}, sim)
		data := func(d string) queue.Content { return queue.Content{Data: []byte(d), Port: 53739} }
		for i, test := range []struct {
			content queue.Content
			problem string
		}{
			{queue.Content{Text: sealedHi}, ""},
			{queue.Content{Text: sealedHi, Flash: true}, ""},
			{data(sealedData), ""},
			{queue.Content{Text: "Hi"}, "Can't send message: not an encrypted value"},
			{queue.Content{Text: otherHi}, "Can't send message: the passphrase does not open it"},
			{queue.Content{Text: strings.Replace(sealedHi, "cbc", "gcm", 1)}, "Can't send message: Unsupported algorithm"},
			{queue.Content{Text: strings.Replace(sealedHi, "i=1", "i=2000001", 1)}, "Can't send message: more than 2000000 iterations"},
			{queue.Content{Text: sealedEmpty}, "Can't send message: Text message is empty"},
			{queue.Content{Text: sealedLong}, "Can't send message: textMessage.text: needs 2 parts of 1 allowed (messages.max_parts)"},
			{queue.Content{Text: sealedLong, Flash: true}, "Can't send message: flashMessage.text: needs 2 parts of 1 allowed (messages.max_parts)"},
			{data(sealedPercent), "Can't send message: dataMessage.data: must be base64 with padding (RFC 4648 section 4)"},
			{data(sealedEmpty), "Can't send message: Data message cannot be empty"},
		} {
			sub := sealed("", sealedAlice)
			sub.Content = test.content
			id := r.post(sub)
			synctest.Wait()
			state := queue.Sent
			if test.problem != "" {
				state = queue.Failed
			}
			r.expect(id, state, test.problem)
			if t.Failed() {
				t.Fatalf("case %d", i)
			}
		}
		var got []string
		for _, s := range sim.sent() {
			got = append(got, fmt.Sprintf("%q %v %t", s.Text, s.Data, s.Flash))
		}
		if want := []string{`"Hi" [] false`, `"Hi" [] true`, `"" [0 255] false`}; !slices.Equal(got, want) {
			t.Errorf("the network got %v, want %v", got, want)
		}
	})
}

// TestEncryptedNumbers: each number is its own matter, and what was decrypted is not told.
func TestEncryptedNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{Passphrase: passphrase}, sim)
		id := r.post(sealed(sealedHi, sealedAlice, sealedWords, sealedSpaced, otherAlice, "+4916098765432", sealedBob, sealedShort))
		lax := sealed(sealedHi, sealedShort, sealedWords)
		lax.SkipPhoneValidation = true
		other := r.post(lax)
		synctest.Wait()
		check := func(id string, problems ...string) {
			t.Helper()
			for i, rcpt := range r.get(id).Recipients {
				state := queue.Sent
				if problems[i] != "" {
					state = queue.Failed
				}
				if rcpt.Error != problems[i] || rcpt.State != state {
					t.Errorf("recipient %d is %v, %q; want %q", i, rcpt.State, rcpt.Error, problems[i])
				}
			}
		}
		check(id, "", "sendSMS: Invalid phone number", "sendSMS: Duplicate phone number: the same as phoneNumbers[0]",
			"sendSMS: the passphrase does not open it", "sendSMS: not an encrypted value", "", "sendSMS: Invalid phone number")
		check(other, "", "sendSMS: Invalid phone number")
		var to []string
		for _, s := range sim.sent() {
			to = append(to, s.Destination)
		}
		slices.Sort(to)
		if want := []string{"+4915112345678", "+4916098765432", "1234"}; !slices.Equal(to, want) {
			t.Errorf("sent to %v, want %v", to, want)
		}
	})
}

// TestPassphraseChanges: a message is opened with what is set when its turn comes.
func TestPassphraseChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, scheduler.Options{}, newSIM(t, 1))
		first := r.post(sealed(sealedHi, sealedAlice))
		synctest.Wait()
		r.expect(first, queue.Failed, "Can't send message: Passphrase is not set")
		r.SetPassphrase("battery staple")
		second := r.post(sealed(otherHi, otherAlice))
		synctest.Wait()
		r.expect(second, queue.Sent, "")
	})
}

// TestSealedOverRestart: what nobody opened before the daemon stopped is opened after.
func TestSealedOverRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := idle(t, scheduler.Options{Passphrase: passphrase, FIFO: true}, sim)
		var ids []string
		for _, to := range []string{sealedAlice, sealedBob} {
			ids = append(ids, r.post(sealed(sealedHi, to)))
		}
		r.restart()
		synctest.Wait()
		for _, id := range ids {
			r.expect(id, queue.Sent, "")
		}
		r.restart()
		synctest.Wait()
		if n := len(sim.sent()); n != 2 {
			t.Errorf("%d were sent, want 2", n)
		}
	})
}

// TestSealedEnds: what nobody opens can be cancelled, expires, and is not sent before its time.
func TestSealedEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := idle(t, scheduler.Options{Passphrase: passphrase}, sim)
		cancelled := r.post(sealed(sealedHi, sealedAlice))
		late := sealed(sealedHi, sealedAlice)
		late.ValidUntil = time.Now().Add(time.Minute)
		expired := r.post(late)
		early := sealed(sealedHi, sealedAlice)
		early.ScheduleAt = time.Now().Add(time.Hour)
		scheduled := r.post(early)
		if m, err := r.Cancel(context.Background(), cancelled); err != nil || m.State != queue.Cancelled {
			t.Errorf("cancelled: %v, %v", m.State, err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		const ttl = "TTL expired: validUntil passed before the message could be submitted"
		r.expect(expired, queue.Failed, ttl)
		r.run()
		synctest.Wait()
		r.expect(cancelled, queue.Cancelled, "")
		r.expect(expired, queue.Failed, ttl)
		r.expect(scheduled, queue.Pending, "")
		time.Sleep(time.Hour)
		synctest.Wait()
		r.expect(scheduled, queue.Sent, "")
		if n := len(sim.sent()); n != 1 {
			t.Errorf("%d were sent, want 1", n)
		}
	})
}

// TestEncryptedIsCheckedAsFarAsItCan: what needs no passphrase is refused at once.
func TestEncryptedIsCheckedAsFarAsItCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := idle(t, scheduler.Options{}, newSIM(t, 1))
		for field, sub := range map[string]queue.Submission{
			"phoneNumbers":    sealed(sealedHi),
			"phoneNumbers[1]": sealed(sealedHi, sealedAlice, sealedAlice),
			"simNumber":       {Content: queue.Content{Text: sealedHi}, Recipients: []string{sealedAlice}, Encrypted: true, SIM: 9},
		} {
			_, err := r.Submit(context.Background(), sub)
			if fault, ok := err.(*queue.FieldError); !ok || fault.Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
	})
}

// TestLongEncrypted: the parts are those of the clear text.
func TestLongEncrypted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{Passphrase: passphrase}, sim)
		id := r.post(sealed(sealedLong, sealedAlice))
		synctest.Wait()
		r.expect(id, queue.Sent, "")
		whole := strings.Join(sim.texts(), "")
		if m := r.get(id); len(m.Recipients[0].Parts) != 2 || whole != strings.Repeat("a", 161) {
			t.Errorf("%d parts, sent %q", len(m.Recipients[0].Parts), whole)
		}
		for _, s := range sim.sent() {
			r.report(s, pdu.Status(0))
		}
		r.expect(id, queue.Delivered, "")
	})
}

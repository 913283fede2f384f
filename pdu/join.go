package pdu

import (
	"slices"
	"strings"

	"github.com/warthog618/sms/encoding/tpdu"
)

// UserData is TP-UDL and TP-UD as received, without what may follow: with the sender, the Service
// Centre and TP-SCTS it tells one SMS-DELIVER from another. It is nil if Raw cannot be read.
func (d Deliver) UserData() []byte {
	_, u, err := decodeDeliver(d.Raw)
	if err != nil {
		return nil
	}
	return append([]byte{byte(u.udl)}, u.ud...)
}

// Join puts the parts of a concatenated message together (TS 23.040 9.2.3.24.1), parts[i] being that
// of number i+1. It joins the user data, not the texts, because senders split where it suits them:
// within a surrogate pair, or behind an escape. A part without a Raw that can be read never came; for
// each run of those gap is put into the text. Parts may differ in alphabet.
func Join(parts []Deliver, gap string) (text string, data []byte) {
	var j joiner
	missing := false
	for i := range parts {
		_, u, err := decodeDeliver(parts[i].Raw)
		if err != nil {
			if j.flush(); !missing {
				j.text.WriteString(gap)
			}
			missing = true
			continue
		}
		missing = false
		j.add(&u)
	}
	j.flush()
	return j.text.String(), j.data
}

// joiner gathers user data as long as it is of one coding.
type joiner struct {
	text    strings.Builder
	data    []byte
	septets []byte
	tables  tpdu.UserDataHeader
	units   []uint16
}

func (j *joiner) add(u *userData) {
	if u.alphabet != GSM7 || !sameTables(j.tables, u.tables) {
		j.flushSeptets()
	}
	if u.alphabet != UCS2 {
		j.flushUnits()
	}
	j.tables = u.tables
	j.septets = append(j.septets, u.septets...)
	j.units = append(j.units, u.units...)
	j.data = append(j.data, u.data...)
}

func (j *joiner) flush() {
	j.flushSeptets()
	j.flushUnits()
}

func (j *joiner) flushSeptets() {
	text, _ := decodeSeptets(j.septets, j.tables) // what a strict reader refuses is read as a space
	j.text.WriteString(text)
	j.septets = nil
}

func (j *joiner) flushUnits() {
	j.text.WriteString(decodeUnits(j.units))
	j.units = nil
}

func sameTables(a, b tpdu.UserDataHeader) bool {
	return slices.EqualFunc(a, b, func(a, b tpdu.InformationElement) bool {
		return a.ID == b.ID && slices.Equal(a.Data, b.Data)
	})
}

package queue

import (
	"encoding/binary"
	"strings"
)

// seqKey is the key of a message.
func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// deliveryKey is the key of one recipient.
func deliveryKey(seq uint64, rcpt uint8) []byte { return append(seqKey(seq), rcpt) }

const deliverySize = 9

func splitDelivery(k []byte) (seq uint64, rcpt uint8) { return binary.BigEndian.Uint64(k), k[8] }

// The lengths of a ready key, of what it begins with, and of one of schema 1, whose lane was an octet.
const (
	laneSize     = 2
	prioSize     = laneSize + 1
	messageSize  = prioSize + 8
	readySize    = messageSize + 1
	oldReadySize = readySize - 1
)

// readyKey sorts by lane, then the highest priority first, then acceptance.
func readyKey(lane int, prio int8, seq uint64, rcpt uint8) []byte {
	k := binary.BigEndian.AppendUint16(make([]byte, 0, readySize), uint16(lane))
	k = binary.BigEndian.AppendUint64(append(k, prioOctet(prio)), seq)
	return append(k, rcpt)
}

func lanePrefix(lane int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(lane)) }

func laneOf(ready []byte) int { return int(binary.BigEndian.Uint16(ready)) }

// deliveryOf is the delivery key in a ready key, of this schema or the one before.
func deliveryOf(ready []byte) []byte { return ready[len(ready)-deliverySize:] }

// prioOctet turns -128..127 into an octet that sorts the highest priority first.
func prioOctet(p int8) byte { return byte(127 - int(p)) }

func prioOf(octet byte) int8 { return int8(127 - int(octet)) }

func splitReady(k []byte) (prio int8, seq uint64) {
	return prioOf(k[laneSize]), binary.BigEndian.Uint64(k[prioSize:])
}

// The kinds of timers say what falls due.
const (
	timerReady   byte = iota + 1 // rest: the ready key to insert
	timerExpire                  // rest: seq of a message whose validUntil passed
	timerUnknown                 // rest: seq, recipient, part that stayed unknown
	timerOrphan                  // rest: key of an orphan to forget
)

// mrUnknown stands where a TP-MR would, for parts whose +CMGS never came.
const mrUnknown = 0x100

// reportPrefix is the part of a key that a status report alone can give.
func reportPrefix(imsi string, mr int, number string) []byte {
	suffix := lastDigits(number)
	k := append([]byte{byte(len(imsi))}, imsi...)
	k = binary.BigEndian.AppendUint16(k, uint16(mr))
	k = append(k, byte(len(suffix)))
	return append(k, suffix...)
}

func reportKey(imsi string, mr int, number string, seq uint64, rcpt uint8, part int) []byte {
	k := binary.BigEndian.AppendUint64(reportPrefix(imsi, mr, number), seq)
	return append(k, rcpt, byte(part))
}

// keyDigits is how many trailing digits of a number find its part. Networks report a recipient in
// national form, with a trunk zero or with junk before it, but leave the subscriber number alone.
const keyDigits = 6

func lastDigits(number string) string {
	d := digits(number)
	if len(d) > keyDigits {
		d = d[len(d)-keyDigits:]
	}
	return d
}

// digits drops everything that is neither a digit nor '*' nor '#'.
func digits(number string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '*' || r == '#' {
			return r
		}
		return -1
	}, number)
}

// sameNumber reports whether the shorter number, without trunk zeros, ends the longer one.
func sameNumber(a, b string) bool {
	a, b = digits(a), digits(b)
	if a == b {
		return true
	}
	if len(a) < len(b) {
		a, b = b, a
	}
	b = strings.TrimLeft(b, "0")
	return len(b) >= keyDigits && strings.HasSuffix(a, b)
}

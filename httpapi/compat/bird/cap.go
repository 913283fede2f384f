package bird

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// The frequency cap counts marketing messages by the moment at which they are due, so that one that is
// scheduled counts for the day on which it comes. A message that was counted stays so, whatever becomes
// of it.
//
//	bird_frequency   number (E.164) → the times at which it gets messages, ms since 1970, ascending
var bucketFrequency = []byte("vendors/bird_frequency")

// kindFrequency is the timer that forgets what has aged.
const kindFrequency byte = 90

// errOverCap undoes the acceptance of a message that is one too many.
var errOverCap = errors.New("the number has got as many marketing messages as bird.frequency_cap allows")

// count adds a message to those of its number, in the transaction that stores it.
func (d *Dialect) count(t *store.Tx, m queue.Message) error {
	due := max(t.Now, m.ScheduleAt.UnixMilli())
	b, key := store.Bucket(t, bucketFrequency), []byte(m.Recipients[0].Number)
	period := d.opts.FrequencyPeriod.Milliseconds()
	times := recent(decodeTimes(b.Get(key)), t.Now-period)
	at, _ := slices.BinarySearch(times, due)
	times = slices.Insert(times, at, due)
	if crowded(times, d.opts.FrequencyCap, period) {
		return errOverCap
	}
	t.Put(b, key, encodeTimes(times))
	t.Within(due+period, kindFrequency)
	return nil
}

// crowded reports whether more than most of times are within one period.
func crowded(times []int64, most int, period int64) bool {
	for i := most; i < len(times); i++ {
		if times[i]-times[i-most] < period {
			return true
		}
	}
	return false
}

// recent leaves out what is not after a time.
func recent(times []int64, after int64) []int64 {
	return slices.DeleteFunc(times, func(at int64) bool { return at <= after })
}

// forgetFrequency deletes numbers that have got nothing for a period.
func (d *Dialect) forgetFrequency(t *store.Tx) {
	b := store.Bucket(t, bucketFrequency)
	after := t.Now - d.opts.FrequencyPeriod.Milliseconds()
	for _, key := range aged(b, after) {
		t.Del(b, key)
	}
}

func aged(b *bolt.Bucket, after int64) (keys [][]byte) {
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if len(recent(decodeTimes(v), after)) == 0 {
			keys = append(keys, slices.Clone(k))
		}
	}
	return keys
}

func encodeTimes(times []int64) (v []byte) {
	for _, at := range times {
		v = binary.BigEndian.AppendUint64(v, uint64(at))
	}
	return v
}

func decodeTimes(v []byte) (times []int64) {
	for at := range slices.Chunk(v, 8) {
		if len(at) == 8 {
			times = append(times, int64(binary.BigEndian.Uint64(at)))
		}
	}
	return times
}

// capText says what the cap is, for the client whose message it keeps back.
func (d *Dialect) capText() string {
	return errOverCap.Error() + " within " + d.opts.FrequencyPeriod.Round(time.Second).String()
}

package queue

import (
	"testing"
)

// BenchmarkScan: a page of an origin that has none of the messages in a full store, and the first page of
// one that has all.
func BenchmarkScan(b *testing.B) {
	q := full(b, 100_000, true)
	for name, origin := range map[string]string{"of another origin": "bird", "all": ""} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				page, next, err := q.Scan(ctx, Scan{Origin: origin, Limit: 50})
				if err != nil || next == 0 || (len(page) == 50) != (origin == "") {
					b.Fatal(len(page), next, err)
				}
			}
		})
	}
}

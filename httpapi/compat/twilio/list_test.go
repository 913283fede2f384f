package twilio_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"dongled/scheduler/queue"
)

type page struct {
	Messages        []answer
	End, Start      int
	Page            int
	PageSize        int     `json:"page_size"`
	FirstPageURI    string  `json:"first_page_uri"`
	NextPageURI     *string `json:"next_page_uri"`
	PreviousPageURI *string `json:"previous_page_uri"`
	URI             string
}

func TestListPages(t *testing.T) {
	h := start(t)
	var want []string
	for i := range 5 {
		want = append([]string{h.send("Body", fmt.Sprint("number ", i)).SID}, want...)
	}
	var got []string
	path, pages := list+"?PageSize=2&To="+url.QueryEscape(number), 0
	for ; path != ""; pages++ {
		p := decoded[page](h, 200, h.Do("GET", path, "", h.header...))
		if p.Page != pages || p.PageSize != 2 || p.Start != 2*pages || p.End != p.Start+len(p.Messages)-1 || p.PreviousPageURI != nil {
			t.Errorf("page %d: %+v", pages, p)
		}
		if p.FirstPageURI != list+"?Page=0&PageSize=2&To=%2B4915112345678" || pages > 0 && p.URI != path {
			t.Errorf("first page at %s, this at %s", p.FirstPageURI, p.URI)
		}
		for _, m := range p.Messages {
			got = append(got, m.SID)
		}
		path = ""
		if p.NextPageURI != nil {
			path = *p.NextPageURI
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") || pages > 3+1 {
		t.Errorf("%d pages, %v, want %v", pages, got, want)
	}
	p := decoded[page](h, 200, h.Do("GET", list, "", h.header...))
	if p.PageSize != 50 || len(p.Messages) != 5 || p.End != 4 || p.NextPageURI != nil {
		t.Errorf("%+v", p)
	}
}

func TestListFilters(t *testing.T) {
	h := start(t)
	sent := h.send("Body", "sent")
	h.Await(sent.SID, queue.Sent)
	waiting := h.scheduled()
	second := h.send("From", "two", "To", "+4915112345679", "Body", "second")
	h.Await(second.SID, queue.Sent)
	now := time.Now().UTC()
	day := func(days int) string { return now.AddDate(0, 0, days).Format(time.DateOnly) }
	at := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339) }
	for _, tt := range []struct {
		query url.Values
		want  []answer
	}{
		{url.Values{}, []answer{second, waiting, sent}},
		{url.Values{"To": {number}}, []answer{waiting, sent}},
		{url.Values{"To": {"4915112345679"}}, []answer{second}},
		{url.Values{"To": {"+4915112345670"}}, nil},
		{url.Values{"From": {"+491510000002"}}, []answer{second}},
		{url.Values{"From": {"ACME"}}, nil},
		{url.Values{"DateSent": {day(-2)}}, nil},
		{url.Values{"DateSent>": {day(-1)}}, []answer{second, sent}},
		{url.Values{"DateSent>": {day(2)}}, nil},
		{url.Values{"DateSent<": {day(1)}}, []answer{second, sent}},
		{url.Values{"DateSent<": {day(-2)}}, nil},
		{url.Values{"DateSent>": {at(-time.Hour)}, "DateSent<": {at(time.Minute)}}, []answer{second, sent}},
		{url.Values{"DateSent": {at(time.Hour)}}, nil},
	} {
		p := decoded[page](h, 200, h.Do("GET", list+"?"+tt.query.Encode(), "", h.header...))
		var got, want []string
		for _, m := range p.Messages {
			got = append(got, m.SID)
		}
		for _, m := range tt.want {
			want = append(want, m.SID)
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%v: %v, want %v", tt.query, got, want)
		}
	}
	// The very date and time at which it was sent.
	got := h.get(sent.SID)
	moment, err := time.Parse(time.RFC1123Z, text(got.DateSent))
	if err != nil {
		t.Fatal(err)
	}
	for _, exact := range []string{moment.UTC().Format(time.DateOnly), moment.UTC().Format(time.RFC3339)} {
		p := decoded[page](h, 200, h.Do("GET", list+"?DateSent="+exact+"&To="+url.QueryEscape(number), "", h.header...))
		if len(p.Messages) != 1 || p.Messages[0].SID != sent.SID {
			t.Errorf("%s: %+v", exact, p.Messages)
		}
	}
}

func TestListRefusals(t *testing.T) {
	h := start(t)
	for query, says := range map[string]string{
		"PageSize=0":                   "1 to 1000",
		"PageSize=1001":                "1 to 1000",
		"PageSize=many":                "PageSize",
		"Page=-1":                      "Page",
		"Page=1":                       "PageToken",
		"PageToken=1":                  "PageToken",
		"PageToken=PA0":                "PageToken",
		"PageToken=PAx":                "PageToken",
		"DateSent=yesterday":           "DateSent",
		"DateSent%3C=2009-13-01":       "DateSent<",
		"DateSent%3E=2009-07-06T20:15": "DateSent>",
		"To=%zz":                       "query",
	} {
		if p := h.refused(400, 400, h.Do("GET", list+"?"+query, "", h.header...)); !strings.Contains(p.Message, says) {
			t.Errorf("%s: %s", query, p.Message)
		}
	}
}

package bird

import (
	"encoding/json"
	"strconv"

	"dongled/httpapi/links"
)

// note is what a short link keeps of its message, so that a click is told without looking that up.
type note struct {
	Channel   string   `json:"channel"`
	To        string   `json:"to"`
	Reference string   `json:"reference,omitempty"`
	Tags      []string `json:"tags,omitempty"`
}

// bytes are links.Wish.Note.
func (n note) bytes() []byte {
	raw, _ := json.Marshal(n) // strings alone
	return raw
}

func readNote(l links.Link) (n note) {
	_ = json.Unmarshal(l.Note, &n) // a damaged one says nothing of the message but its id
	return n
}

// interaction is a click as Bird's list of interactions has it.
type interaction struct {
	ID         string         `json:"id"`
	MessageID  string         `json:"messageId"`
	ChannelID  string         `json:"channelId"`
	PlatformID string         `json:"platformId"`
	Type       string         `json:"type"`
	Reference  string         `json:"messageReference,omitempty"`
	Tags       []string       `json:"messageTags"`
	Receiver   party          `json:"receiver"`
	CreatedAt  string         `json:"createdAt"`
	Metadata   clickedDetails `json:"metadata"`
}

// clickedDetails tell which link was followed. Prefetched says that it was no person, as far as we know.
type clickedDetails struct {
	Link struct {
		Name string `json:"name"`
		URL  string `json:"url"`
	} `json:"link"`
	Prefetched bool `json:"prefetched"`
}

func (d *Dialect) interaction(c links.Click, of note) interaction {
	i := interaction{
		ID:        derived(c.Link.MessageID, "click:"+c.Link.Code+":"+strconv.FormatInt(c.At.UnixMilli(), 10)),
		MessageID: c.Link.MessageID, ChannelID: of.Channel, PlatformID: platform, Type: clicked,
		Reference: of.Reference, Tags: append([]string{}, of.Tags...),
		Receiver: party{Contacts: []contact{d.contact(of.To)}}, CreatedAt: written(c.At),
	}
	i.Metadata.Link.Name, i.Metadata.Link.URL = c.Link.Short, c.Link.URL
	i.Metadata.Prefetched = !c.Human
	return i
}

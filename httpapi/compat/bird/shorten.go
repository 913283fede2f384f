package bird

import (
	"encoding/json"

	"dongled/httpapi/compat"
	"dongled/httpapi/links"
)

// linkWish is what is to be done with the URLs of a message.
type linkWish struct {
	short  bool
	domain string
	// track appends utm to what is linked to.
	track bool
	utm   [][2]string
}

// link puts the wishes of the message and of its template together: of a template's message those of the
// template count, and the others must not contradict.
func (o *order) link(r *request, ch channel) error {
	wish := r.ShortLinks
	if o.template != nil && o.template.ShortLinks != nil {
		if wish != nil && !wish.same(o.template.ShortLinks) {
			return compat.Fault("shortLinks", "must be left out, or the same as template.shortLinks, which count for a template")
		}
		wish = o.template.ShortLinks
	}
	o.kept.ShortLinks = wish
	if wish.wanted() {
		o.links.short, o.links.domain = true, wish.Domain
	}
	if r.EnableLinkTracking {
		o.links.track, o.links.utm = true, utmOf(o, r.Meta, ch)
	}
	return nil
}

// utmOf are the parameters of the template, or else those that are known of a campaign.
func utmOf(o *order, about json.RawMessage, ch channel) (pairs [][2]string) {
	if o.template != nil {
		for _, p := range o.template.UTMParameters {
			pairs = append(pairs, [2]string{p.Key, p.Value})
		}
	}
	if len(pairs) > 0 {
		return pairs
	}
	pairs = [][2]string{{"utm_source", ch.Name}, {"utm_medium", "sms"}}
	var in struct {
		Campaign struct {
			Name string `json:"name"`
		} `json:"campaign"`
	}
	if json.Unmarshal(about, &in) == nil && in.Campaign.Name != "" {
		pairs = append(pairs, [2]string{"utm_campaign", in.Campaign.Name})
	}
	return pairs
}

// shorten replaces the URLs of a text as the order says.
func (d *Dialect) shorten(o *order, text string) (string, []links.Link, error) {
	switch w := o.links; {
	case !w.short && w.track:
		return "", nil, compat.Fault("enableLinkTracking", "can only be true if shortLinks.enabled is")
	case !w.short:
		return text, nil, nil
	default:
		short, made, err := d.g.Links.Rewrite(text, links.Wish{
			All: w.track, Domain: w.domain, UTM: w.utm, Origin: Name, Note: o.note().bytes(),
		})
		return short, made, err
	}
}

// note is what a click on a link of the order is told with.
func (o *order) note() note {
	to := o.number
	if e164, ok := compat.International(to); ok {
		to = e164
	}
	return note{Channel: o.kept.Channel.ID, To: to, Reference: o.kept.Reference, Tags: o.kept.Tags}
}

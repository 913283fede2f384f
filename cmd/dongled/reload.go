package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"dongled/configs"
	"dongled/httpapi"
)

// expiryEvery is how often the log is told of a certificate that ends soon.
const expiryEvery = 24 * time.Hour

// loadCertificate reads the pair of the configuration; nil is plain HTTP.
func loadCertificate(c configs.TLS) (*httpapi.Certificate, error) {
	if c.Certificate == "" {
		return nil, nil
	}
	cert, err := httpapi.LoadCertificate(c.Certificate, c.Key)
	if err != nil {
		return nil, fmt.Errorf("http.tls: %w", err)
	}
	return cert, nil
}

// reload reads the certificate again for every hangup, until ctx ends, and warns of its end and of a key
// that is open to all. Without a certificate a hangup changes nothing.
func (d *daemon) reload(ctx context.Context) {
	log := d.log.With("component", "tls")
	tick := time.NewTicker(expiryEvery)
	defer tick.Stop()
	for {
		if d.cert != nil {
			if end := d.cert.Expires(); time.Until(end) < httpapi.Expiring {
				log.Warn("the certificate ends soon, or has ended: put a new one in place, then reload (SIGHUP)", "end", end)
			}
			if d.cert.Exposed() {
				log.Warn("every user of this machine may read the certificate's key: take that right away (chmod o-r)")
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-d.hangup:
			d.readAgain(log)
		}
	}
}

func (d *daemon) readAgain(log *slog.Logger) {
	if d.cert == nil {
		log.Info("nothing is read again: there is no certificate, and other settings need a restart")
		return
	}
	if err := d.cert.Reload(); err != nil {
		log.Error("the certificate stays the one from before", "err", err)
		return
	}
	log.Info("the certificate was read again", "end", d.cert.Expires())
}

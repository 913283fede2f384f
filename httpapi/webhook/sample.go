package webhook

import (
	"fmt"
	"strings"
	"time"

	"dongled/scheduler/outbox"
)

// The payloads of tests: those of the events, with %[1]s for the time of the test. The numbers are
// those of SMSGate's documentation.
const (
	sampleIn  = `{"messageId":"test","phoneNumber":"6505551212","sender":"6505551212","recipient":"+1234567890","simNumber":1,`
	sampleOut = `{"messageId":"test","phoneNumber":"6505551212","sender":"+1234567890","recipient":"6505551212","simNumber":1,`

	sampleText = sampleIn + `"message":"This is a test.","receivedAt":"%[1]s"}`
	sampleData = sampleIn + `"data":"VGhpcyBpcyBhIHRlc3Qu","receivedAt":"%[1]s"}`
	sampleMMS  = sampleIn + `"transactionId":"test","subject":"This is a test.","size":0,"receivedAt":"%[1]s"}`
	sampleBody = sampleIn + `"subject":"This is a test.","body":"","attachments":[],"receivedAt":"%[1]s"}`
)

var samples = map[string]string{
	outbox.SMSReceived:     sampleText,
	outbox.DataSMSReceived: sampleData,
	outbox.MMSReceived:     sampleMMS,
	mmsDownloaded:          sampleBody,
	outbox.SMSSent:         sampleOut + `"partsCount":1,"sentAt":"%[1]s"}`,
	outbox.SMSDelivered:    sampleOut + `"deliveredAt":"%[1]s"}`,
	outbox.SMSFailed:       sampleOut + `"failedAt":"%[1]s","reason":"This is a test."}`,
	outbox.SMSCancelled:    sampleOut + `"cancelledAt":"%[1]s"}`,
	outbox.CallReceived:    `{"phoneNumber":"6505551212","sender":"6505551212","recipient":"+1234567890","simNumber":1,"receivedAt":"%[1]s"}`,
	outbox.SystemPing:      `{"health":{"status":"pass","releaseId":1,"checks":{}}}`,
	outbox.AppStarted:      `{"simCards":[]}`,

	outbox.BatchSMSReceived:     `{"messages":[` + sampleText + `]}`,
	outbox.BatchDataSMSReceived: `{"messages":[` + sampleData + `]}`,
	outbox.BatchMMSReceived:     `{"messages":[` + sampleMMS + `]}`,
	batchMMSDownloaded:          `{"messages":[` + sampleBody + `]}`,
}

// sample is the payload of a test.
func sample(event string, now time.Time) []byte {
	format := samples[event]
	if !strings.Contains(format, "%") {
		return []byte(format)
	}
	return fmt.Appendf(nil, format, now.Format(outbox.TimeFormat))
}

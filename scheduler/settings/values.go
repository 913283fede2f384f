package settings

import "time"

// Values are the settings in effect, by SMSGate's sections. A length of time of 0 is "off" or "keep".
type Values struct {
	Encryption struct{ Passphrase string }
	Gateway    struct{ CloudURL, PrivateToken, NotificationChannel string }
	Messages   struct {
		SendIntervalMin, SendIntervalMax time.Duration
		// LimitPeriod is SMSGate's word: Disabled, PerMinute, Per30Minutes, PerHour or PerDay.
		LimitPeriod string
		LimitValue  int
		// SIMSelectionMode is OSDefault, RoundRobin or Random; ProcessingOrder LIFO or FIFO.
		SIMSelectionMode, ProcessingOrder string
		// LogLifetime is how long ended messages are kept.
		LogLifetime time.Duration
		WorkHours   bool
		// WorkHoursStart and WorkHoursEnd are "HH:mm", local time.
		WorkHoursStart, WorkHoursEnd string
	}
	Ping     struct{ Interval time.Duration }
	Logs     struct{ Lifetime time.Duration }
	Receiver struct{ ContentProviderEnabled bool }
	Webhooks struct {
		InternetRequired bool
		RetryCount       int
		SigningKey       string
	}
}

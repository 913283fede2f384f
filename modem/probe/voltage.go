package probe

import (
	"path/filepath"
	"strconv"
)

// UnderVoltage says that a Raspberry Pi notices too little supply voltage: within the last seconds
// or, on kernels without that sensor, since it was started. Other machines do not tell.
func (b Bus) UnderVoltage() bool {
	names, _ := filepath.Glob(b.sys("class", "hwmon", "hwmon*", "name")) // the pattern is well formed
	for _, name := range names {
		if dir := filepath.Dir(name); attribute(dir, "name") == "rpi_volt" {
			return attribute(dir, "in0_lcrit_alarm") == "1"
		}
	}
	// Newer kernels put a warning into their log when this is read, so it comes last.
	firmware := b.sys("devices", "platform", "soc", "soc:firmware")
	throttled, err := strconv.ParseUint(attribute(firmware, "get_throttled"), 16, 32)
	const now, sinceStart = 1 << 0, 1 << 16
	return err == nil && throttled&(now|sinceStart) != 0
}

package main

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"dongled/modem/virtual"
)

// What a +CMS ERROR or +CME ERROR after the PDU leaves open: the service centre may have the
// message (peers-modems-errors.md section 4, action A). After every other one it has not.
var (
	openCMS = []int{127, 332, 350, 500, 513, 521, 600, 999}
	openCME = []int{31, 100, 999}
)

// Codes of every other action: permanent, SIM, transient, modem.
var (
	clearCMS = []int{
		1, 21, 96, 176, 195, 304, 531,
		8, 10, 50, 193, 312, 330,
		17, 22, 27, 38, 41, 42, 98, 111, 192, 212, 255, 301, 314, 512, 90,
		34, 208, 300, 302, 305, 310, 313, 322, 331, 515,
	}
	clearCME = []int{3, 4, 10, 13, 14, 15, 20, 30, 50}
)

func seconds(from, to int) *rapid.Generator[time.Duration] {
	return rapid.Map(rapid.IntRange(from, to), func(n int) time.Duration { return time.Duration(n) * time.Second })
}

var networks = rapid.SampledFrom([]virtual.Network{virtual.Takes, virtual.Misses})

// anyFault is one thing that goes wrong, of every kind that the virtual dongle knows. It happens a
// few times at most and ends by itself, so that no message can wait for ever.
func anyFault() *rapid.Generator[virtual.Fault] {
	return rapid.Custom(func(t *rapid.T) virtual.Fault {
		f := rapid.OneOf(submitFault(), promptFault(), reportFault(), lineFault(), commandFault()).Draw(t, "fault")
		f.Nth = rapid.IntRange(1, 8).Draw(t, "nth")
		f.Count = rapid.IntRange(1, 3).Draw(t, "count")
		f.Every = rapid.IntRange(0, 2).Draw(t, "every")
		return f
	})
}

// submitFault stands behind the Ctrl-Z. Whether the network took the message is open exactly where
// the dongle does not say so.
func submitFault() *rapid.Generator[virtual.Fault] {
	return rapid.Custom(func(t *rapid.T) virtual.Fault {
		f := virtual.Fault{On: virtual.OnSubmit}
		open := true
		switch rapid.IntRange(0, 10).Draw(t, "submit fault") {
		case 0:
			f.Do, f.Code, open = virtual.CMS, rapid.SampledFrom(clearCMS).Draw(t, "code"), false
		case 1:
			f.Do, f.Code, open = virtual.CME, rapid.SampledFrom(clearCME).Draw(t, "code"), false
		case 2:
			f.Do, f.Code = virtual.CMS, rapid.SampledFrom(openCMS).Draw(t, "code")
		case 3:
			f.Do, f.Code = virtual.CME, rapid.SampledFrom(openCME).Draw(t, "code")
		case 4:
			f.Do = virtual.PlainError
		case 5:
			f.Do = virtual.Silence
		case 6:
			f.Do, f.Delay, open = virtual.LateAnswer, seconds(1, 200).Draw(t, "delay"), false
		case 7:
			f.Do, open = virtual.NoReference, false
		case 8:
			f.Do, open = rapid.SampledFrom([]virtual.Action{virtual.Garbage, virtual.URCStorm}).Draw(t, "noise"), false
		case 9:
			f.Do, f.Lines = virtual.Answer, []string{"COMMAND NOT SUPPORT"}
		case 10:
			f.Do, f.Delay, f.Return = virtual.Unplug, seconds(0, 5).Draw(t, "after"), seconds(1, 300).Draw(t, "return")
		}
		if open {
			f.Network = networks.Draw(t, "network")
		}
		return f
	})
}

// promptFault stands before the PDU: nothing has left.
func promptFault() *rapid.Generator[virtual.Fault] {
	return rapid.Custom(func(t *rapid.T) virtual.Fault {
		f := virtual.Fault{On: virtual.OnPrompt}
		switch rapid.IntRange(0, 7).Draw(t, "prompt fault") {
		case 0:
			f.Do = virtual.NoPrompt
		case 1:
			f.Do, f.Delay = virtual.LatePrompt, seconds(1, 20).Draw(t, "delay")
		case 2:
			f.Do, f.Code = virtual.CMS, rapid.SampledFrom(slices.Concat(clearCMS, openCMS)).Draw(t, "code")
		case 3:
			f.Do, f.Code = virtual.CME, rapid.SampledFrom(slices.Concat(clearCME, openCME)).Draw(t, "code")
		case 4:
			f.Do = virtual.PlainError
		case 5:
			f.Do = rapid.SampledFrom([]virtual.Action{virtual.Garbage, virtual.URCStorm}).Draw(t, "noise")
		case 6:
			f.Do, f.Lines = virtual.Answer, []string{"TOO MANY PARAMETERS"}
		case 7:
			f.Do, f.Delay, f.Return = virtual.Unplug, seconds(0, 5).Draw(t, "after"), seconds(1, 300).Draw(t, "return")
		}
		return f
	})
}

func reportFault() *rapid.Generator[virtual.Fault] {
	return rapid.Custom(func(t *rapid.T) virtual.Fault {
		f := virtual.Fault{On: virtual.OnReport, Do: rapid.SampledFrom([]virtual.Action{
			virtual.ReportBefore, virtual.ReportLate, virtual.ReportTwice, virtual.ReportReorder,
			virtual.ReportNever, virtual.ReportStatus,
		}).Draw(t, "report fault")}
		switch f.Do {
		case virtual.ReportLate, virtual.ReportTwice:
			f.Delay = rapid.OneOf(seconds(1, 60), seconds(60, int(latestReport/time.Second))).Draw(t, "delay")
		case virtual.ReportStatus:
			// 23.040 9.2.3.15: completed, still trying, permanent error, no more attempts, reserved.
			f.Code = rapid.SampledFrom([]int{0x01, 0x02, 0x10, 0x20, 0x30, 0x40, 0x46, 0x50, 0x60, 0x70, 0x03, 0x80}).Draw(t, "status")
			f.Delay = seconds(1, 600).Draw(t, "delay")
		}
		return f
	})
}

// latestReport is by how much the network may be late with a report: beyond unknownAfter, so that
// some come when their part was given up.
const latestReport = 40 * time.Minute

func lineFault() *rapid.Generator[virtual.Fault] {
	return rapid.Custom(func(t *rapid.T) virtual.Fault {
		return virtual.Fault{On: virtual.OnLine, Do: rapid.SampledFrom([]virtual.Action{
			virtual.Garbage, virtual.URCStorm,
		}).Draw(t, "line fault")}
	})
}

// commandFault stands on what the session asks besides sending.
func commandFault() *rapid.Generator[virtual.Fault] {
	return rapid.Custom(func(t *rapid.T) virtual.Fault {
		f := virtual.Fault{
			On: rapid.SampledFrom([]string{"CREG", "CSQ", "COPS", "CPIN", "CMGF", "CNMI", "CMMS", "CIMI", "CMEE"}).Draw(t, "command"),
			Do: rapid.SampledFrom([]virtual.Action{
				virtual.CMS, virtual.CME, virtual.PlainError, virtual.Silence, virtual.LateAnswer,
				virtual.Garbage, virtual.URCStorm, virtual.Unplug,
			}).Draw(t, "command fault"),
		}
		switch f.Do {
		case virtual.CMS:
			f.Code = rapid.SampledFrom(clearCMS).Draw(t, "code")
		case virtual.CME:
			f.Code = rapid.SampledFrom(clearCME).Draw(t, "code")
		case virtual.LateAnswer:
			f.Delay = seconds(1, 30).Draw(t, "delay")
		case virtual.Unplug:
			f.Return = seconds(1, 300).Draw(t, "return")
		}
		return f
	})
}

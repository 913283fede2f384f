package modem_test

import (
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/modem/virtual"
)

// Every family is recognised, comes up, sends, brings its reports, survives a restart of its own
// accord and one that we ask for, and is quiet otherwise.
func TestFamilies(t *testing.T) {
	for _, name := range virtual.Families() {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				opts, _ := virtual.Family(name)
				opts.SubmitDelay, opts.ReportDelay, opts.RegisterDelay = time.Second, 2*time.Second, 5*time.Second
				d := dongle(t, opts)
				s := &sink{}
				w := start(t, modem.Config{Open: d.Open, Sink: s})
				ready(t, w)
				st := w.Status()
				if st.Profile != name || !st.Reports || st.Sessions > 3 || st.ICCID == "" {
					t.Fatalf("%+v", st)
				}
				if list := st.Warnings(time.Now()); len(list) != 0 {
					t.Errorf("warnings %v", list)
				}
				deliver := func(want int) {
					t.Helper()
					if _, err := w.Submit(t.Context(), segment(t, "x"), false, nil); err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Minute)
					synctest.Wait()
					if got := s.references(); len(got) != want {
						t.Fatalf("reports %v, want %d", got, want)
					}
				}
				deliver(1)
				deliver(2)
				before := w.Status().Sessions
				time.Sleep(3 * time.Hour)
				synctest.Wait()
				if st := w.Status(); st.Sessions != before || !st.Ready() || st.Resets != 0 {
					t.Errorf("after three idle hours: %+v", st)
				}
				d.Unplug()
				time.Sleep(time.Minute)
				d.Plug()
				time.Sleep(2 * time.Minute)
				ready(t, w)
				deliver(3)

				d.SetSIM(false)
				time.Sleep(time.Minute)
				synctest.Wait()
				if st := w.Status(); st.Problem != modem.ProblemNoSIM {
					t.Errorf("without its SIM: %+v", st)
				}
				time.Sleep(time.Hour)
				d.SetSIM(true)
				time.Sleep(2 * time.Minute)
				ready(t, w)
				if st := w.Status(); st.Resets != 0 {
					t.Errorf("with its SIM again: %+v", st)
				}
				deliver(4)

				d.SetRegistration(2)
				time.Sleep(time.Minute)
				synctest.Wait()
				if st := w.Status(); st.Problem != modem.ProblemNotRegistered {
					t.Errorf("without a network: %+v", st)
				}
				time.Sleep(16 * time.Minute)
				synctest.Wait()
				if st := w.Status(); st.Resets != 1 || st.LastReset != "restart" {
					t.Errorf("without a network for a quarter of an hour: %+v", st)
				}
				d.SetRegistration(1)
				time.Sleep(time.Minute)
				ready(t, w)
				deliver(5)
			})
		})
	}
}

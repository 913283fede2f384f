// Command house prints the measures that the house keeps: how long functions and
// files are, and how much test there is for each line of source. Its tests enforce
// what a number cannot say: the import rules and a doc comment on every package.
//
// Targets: functions p90 at most 45 lines, files at most 400, tests at least 1.0
// times the source. Lines are counted as they stand in the file, comments included.
//
//	go run ./hack/house [DIR]
package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
)

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	files, err := parseTree(root)
	if err != nil {
		fmt.Fprintf(os.Stderr, "house: %v\n", err)
		os.Exit(1)
	}
	if err := printMeasures(os.Stdout, files); err != nil {
		fmt.Fprintf(os.Stderr, "house: %v\n", err)
		os.Exit(1)
	}
}

// printMeasures writes a line a package, then the whole, then what is out of measure.
func printMeasures(w io.Writer, files []source) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "package\tsource\ttest\ttest:source\tfunc p50\tp90\tmax\tfile p50\tp90\tmax\t")
	byPackage := map[string][]source{}
	for _, f := range files {
		byPackage[f.pkg] = append(byPackage[f.pkg], f)
	}
	var names []string
	for name := range byPackage {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		row(tw, name, measure(byPackage[name]))
	}
	all := measure(files)
	row(tw, "all", all)
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, long := range all.tooLong {
		if _, err := fmt.Fprintln(w, long); err != nil {
			return err
		}
	}
	return nil
}

func row(w io.Writer, name string, m measures) {
	ratio := "-"
	if m.source > 0 {
		ratio = fmt.Sprintf("%.2f", float64(m.test)/float64(m.source))
	}
	fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t\n", name, m.source, m.test, ratio,
		percentile(m.funcs, 50), percentile(m.funcs, 90), percentile(m.funcs, 100),
		percentile(m.files, 50), percentile(m.files, 90), percentile(m.files, 100))
}

// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Write writes the result to w as a table for people.
func (r *Result) Write(w io.Writer) error {
	if len(r.Rows) > 0 {
		if err := r.writeBigFiles(w); err != nil {
			return err
		}
	}
	for _, c := range r.Comparisons {
		if err := c.Write(w); err != nil {
			return err
		}
	}
	if len(r.Ratios) == 0 {
		return nil
	}
	table := newTable(w)
	fmt.Fprint(w, "\nwith SoftHSM, beside a program of bare PKCS#11 calls\n\n")
	fmt.Fprintln(table, "time to bare\tspeed to bare\t  task")
	for _, r := range r.Ratios {
		fmt.Fprintf(table, "%.2f\t%.0f %%\t  %s\n", r.ToBare, 100/r.ToBare, r.Task)
	}
	return table.Flush()
}

func (r *Result) writeBigFiles(w io.Writer) error {
	fmt.Fprintf(w, "%.0f MiB, attached, RSA-2048, SHA-256; median of %d\n\n", mebi(r.Size), r.Runs)
	table := newTable(w)
	fmt.Fprintln(table, "seconds\tto openssl\tto the hash\tpeak MiB\t  task")
	for _, row := range r.Rows {
		fmt.Fprintf(table, "%.2f\t%s\t%.2f\t%s\t  %s\n",
			row.Seconds, known(row.ToPeer, "%.2f"), row.ToHash, known(mebi(row.Peak), "%.0f"), row.Task)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprint(w, "\nwith more to do: linear is not above the first number\n\n")
	fmt.Fprintln(table, "times as much\ttimes as long\ttimes the processor\tseconds\tpeak MiB\t  task")
	for _, g := range r.Growth {
		fmt.Fprintf(table, "%.4g\t%.2f\t%.2f\t%.2f\t%s\t  %s\n", g.Much, g.Long, g.Worked, g.Seconds, known(mebi(g.Peak), "%.0f"), g.Task)
	}
	return table.Flush()
}

func newTable(w io.Writer) *tabwriter.Writer {
	return tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
}

// known formats a number, or a dash for zero.
func known(number float64, format string) string {
	if number == 0 {
		return "-"
	}
	return fmt.Sprintf(format, number)
}

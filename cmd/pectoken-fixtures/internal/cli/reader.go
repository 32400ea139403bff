// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/softhsm-fixtures/virtualcard"
)

// controlName is the socket on which the command card takes orders, and
// answering how long one may take.
const (
	controlName = "control"
	answering   = time.Minute
)

// maxOrder bounds an order; the longest that means something is far shorter.
const maxOrder = 4 << 10

// order is a line of JSON that says what to do: insert, remove, report, delay.
type order struct {
	Do       string        `json:"do"`
	Delay    time.Duration `json:"delay,omitempty"`    // nanoseconds
	KeyDelay time.Duration `json:"keyDelay,omitempty"` // nanoseconds
}

// reply is the line that comes back.
type reply struct {
	Error  string              `json:"error,omitempty"`
	Report *virtualcard.Report `json:"report,omitempty"`
}

func newReader() *cobra.Command {
	var dir string
	var o order
	cmd := &cobra.Command{
		Use:   "reader --dir FOLDER {insert | remove | report | delay}",
		Short: "Insert or remove the virtual card of the command card, or ask it what it was asked",
		Long: "Insert or remove the virtual card of the command card, or ask it what it was asked.\n\n" +
			"  insert, remove   put the card into the reader, take it out\n" +
			"  report           print how many commands, PINs and signatures the card was asked for, and the tries left, as JSON\n" +
			"  delay            make the card as slow as --delay and --key-delay say",
		Example:   "  pectoken-fixtures reader --dir kit remove",
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"insert", "remove", "report", "delay"},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Do = args[0]
			return sendOrder(cmd.OutOrStdout(), dir, o)
		},
	}
	requiredDir(cmd, &dir, "folder of the card")
	cmd.Flags().DurationVar(&o.Delay, "delay", 0, "how long the card takes for a command")
	cmd.Flags().DurationVar(&o.KeyDelay, "key-delay", 0, "how much longer it takes for a signature")
	return cmd
}

// sendOrder hands an order to the command card that runs with the folder.
func sendOrder(out io.Writer, dir string, o order) error {
	conn, err := net.Dial("unix", filepath.Join(dir, controlName))
	if err != nil {
		return fmt.Errorf("reaching the card of %q, with which \"pectoken-fixtures card\" has to be running: %w", dir, err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(answering)); err != nil {
		return err
	}
	if err := json.NewEncoder(conn).Encode(o); err != nil {
		return err
	}
	var r reply
	if err := json.NewDecoder(conn).Decode(&r); err != nil {
		return fmt.Errorf("reading the reply: %w", err)
	}
	if r.Error != "" {
		return errors.New(r.Error)
	}
	if r.Report == nil {
		return nil
	}
	return json.NewEncoder(out).Encode(r.Report)
}

// desk carries out orders.
type desk struct {
	reader *virtualcard.Reader
	card   *virtualcard.Card
}

// listen takes orders in the folder until stop is called.
func listen(dir string, d *desk) (stop func(), err error) {
	name := filepath.Join(dir, controlName)
	if conn, err := net.Dial("unix", name); err == nil {
		conn.Close()
		return nil, fmt.Errorf("the card of %q is in use by another command", dir)
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	listener, err := net.Listen("unix", name)
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			d.serve(conn)
		}
	}()
	return func() { listener.Close() }, nil
}

// serve takes the orders of one caller.
func (d *desk) serve(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(answering)) // fails only on a connection that is gone
	var o order
	if err := json.NewDecoder(io.LimitReader(conn, maxOrder)).Decode(&o); err != nil {
		return
	}
	r, err := d.carryOut(o)
	if err != nil {
		r.Error = err.Error()
	}
	_ = json.NewEncoder(conn).Encode(r) // a caller that left wants no reply
}

func (d *desk) carryOut(o order) (r reply, err error) {
	switch o.Do {
	case "insert":
		err = d.reader.Insert(d.card)
	case "remove":
		err = d.reader.Remove()
	case "report":
		report := d.card.Report()
		r.Report = &report
	case "delay":
		d.card.SetDelay(o.Delay, o.KeyDelay)
	default:
		err = fmt.Errorf("no order is called %q", o.Do)
	}
	return r, err
}

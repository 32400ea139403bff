// SPDX-License-Identifier: Apache-2.0

//go:build windows || darwin || (linux && cgo && (amd64 || arm64))

package card

import (
	"encoding/hex"
	"fmt"
	"runtime"
	"sync"

	"github.com/ElMostafaIdrassi/goscard"
)

// load loads the library of PC/SC into the process, once. It stays there. The
// logger is not left out: the one that goscard has otherwise writes every command
// to standard output.
var load = sync.OnceValue(func() error {
	if err := goscard.Initialize(goscard.NewDefaultLogger(goscard.LogLevelNone)); err != nil {
		return fmt.Errorf("%w: %w", ErrNoLibrary, err)
	}
	return nil
})

// establish connects to the service.
func establish() (service, error) {
	if err := load(); err != nil {
		return nil, err
	}
	ctx, code, err := goscard.NewContext(goscard.SCardScopeSystem, nil, nil)
	if err := explain(code, err); err != nil {
		return nil, err
	}
	return &pcsc{ctx}, nil
}

// explain makes one error of the two results of goscard, which for some codes
// gives no error.
func explain(code uint64, err error) error {
	if code != 0 {
		return Code(code).explained()
	}
	return err
}

// pcsc is a service on goscard.
type pcsc struct{ ctx goscard.Context }

func (p *pcsc) release() { _, _ = p.ctx.Release() }

func (p *pcsc) readers() ([]Reader, error) {
	names, code, err := p.ctx.ListReaders(nil)
	if err := explain(code, err); err != nil {
		return nil, err
	}
	list := make([]Reader, 0, len(names))
	for _, name := range names {
		list = append(list, p.look(name))
	}
	return list, nil
}

// look asks what is in a reader, without connecting to the card. One that went
// away in the meantime is unavailable.
func (p *pcsc) look(name string) Reader {
	states := []goscard.SCardReaderState{{Reader: terminated(name)}}
	code, err := p.ctx.GetStatusChange(goscard.NewTimeout(0), states)
	if explain(code, err) != nil {
		return Reader{Name: name, State: ReaderUnavailable}
	}
	r := Reader{Name: name, State: ReaderEmpty}
	is := func(flag goscard.SCardState) bool { return states[0].EventState&flag != 0 }
	switch {
	case is(goscard.SCardStateUnknown | goscard.SCardStateUnavailable | goscard.SCardStateIgnore):
		r.State = ReaderUnavailable
	case is(goscard.SCardStateMute):
		r.State = ReaderWithMute
	case is(goscard.SCardStatePresent):
		r.State = ReaderWithCard
		r.ATR, _ = hex.DecodeString(states[0].Atr) // made from bytes by goscard
	}
	r.InUse, r.Exclusive = is(goscard.SCardStateInuse|goscard.SCardStateExclusive), is(goscard.SCardStateExclusive)
	return r
}

// terminated ends a name as C wants it. Of goscard's functions GetStatusChange
// alone leaves that out, and not on Windows.
func terminated(name string) string {
	if runtime.GOOS == "windows" {
		return name
	}
	return name + "\x00"
}

func (p *pcsc) connect(reader string) (connection, error) {
	card, code, err := p.ctx.Connect(reader, goscard.SCardShareShared, goscard.SCardProtocolAny)
	if err := explain(code, err); err != nil {
		return nil, err
	}
	return &pcscCard{card}, nil
}

// pcscCard is a connection on goscard.
type pcscCard struct{ card goscard.Card }

func (c *pcscCard) begin() error { return explain(c.card.BeginTransaction()) }

func (c *pcscCard) end() { _, _ = c.card.EndTransaction(goscard.SCardLeaveCard) }

func (c *pcscCard) disconnect() { _, _ = c.card.Disconnect(goscard.SCardLeaveCard) }

func (c *pcscCard) Transmit(command []byte) ([]byte, error) {
	protocol := &goscard.SCardIoRequestT1
	if c.card.ActiveProtocol() == goscard.SCardProtocolT0 {
		protocol, command = &goscard.SCardIoRequestT0, forT0(command)
	}
	answer, code, err := c.card.Transmit(protocol, command, nil)
	return answer, explain(code, err)
}

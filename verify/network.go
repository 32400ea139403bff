// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"context"
	"fmt"
	"time"
)

// defaultNetworkTime is how long all asking for one file may take together. Whoever made
// the file says whom to ask, and may name a hundred places that never answer.
const defaultNetworkTime = time.Minute

// network is the time that is left for asking, for one call of [File].
type network struct {
	all, left time.Duration
	running   context.Context // of the question that is being asked; nil for none
}

func newNetwork(all time.Duration) *network {
	if all == 0 {
		all = defaultNetworkTime
	}
	return &network{all: all, left: all}
}

// ask runs a question within the time that is left. Questions that it leads to are within
// its time.
func (n *network) ask(ctx context.Context, question func(context.Context) error) error {
	if n.running != nil {
		return question(n.running)
	}
	limited, stop := context.WithTimeout(ctx, n.left)
	defer stop()
	start := time.Now()
	n.running = limited
	err := question(limited)
	n.running = nil
	n.left -= time.Since(start)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("asking took longer than the %v that there are for one file: %w", n.all, err)
	}
	return err
}

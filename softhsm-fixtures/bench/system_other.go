// SPDX-License-Identifier: Apache-2.0

//go:build !linux && !darwin

package bench

import "os"

// peakMemory is not known here.
func peakMemory(*os.ProcessState) int64 { return 0 }

// freeSpace is not known here.
func freeSpace(string) (bytes int64, known bool) { return 0, false }

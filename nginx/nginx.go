// Package nginx writes nginx's configuration, brings it into a running nginx in one tested move, and
// proves that the reload took.
//
// The configuration's text comes from pure functions (Main, Site, Include). Apply tests and installs it,
// and signals nginx. ReadWorkers, taken before, and Confirm, called after, prove that the new workers
// serve; Drain waits for the old ones to end. The package reaches nginx only through a Place.
package nginx

package docker

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/docker/api/types/container"
)

// resources are the service's own keys; those under deploy come on top, as with compose.
func (v *conversion) resources() {
	s, r := v.service, &v.host.Resources
	*r = container.Resources{
		CgroupParent: s.CgroupParent,
		Memory:       int64(s.MemLimit), MemorySwap: int64(s.MemSwapLimit), MemoryReservation: int64(s.MemReservation),
		CPUPeriod: s.CPUPeriod, CPUQuota: s.CPUQuota, CPURealtimePeriod: s.CPURTPeriod, CPURealtimeRuntime: s.CPURTRuntime,
		CPUShares: s.CPUShares, CpusetCpus: s.CPUSet, NanoCPUs: nanoCPUs(s.CPUS),
		DeviceCgroupRules: s.DeviceCgroupRules, DeviceRequests: deviceRequests(s.Gpus, "gpu"),
		Ulimits: ulimits(s.Ulimits),
	}
	if s.MemSwappiness != 0 {
		r.MemorySwappiness = new(int64(s.MemSwappiness))
	}
	if s.OomKillDisable {
		r.OomKillDisable = new(true)
	}
	if s.PidsLimit != 0 {
		r.PidsLimit = new(s.PidsLimit)
	}
	for _, d := range s.Devices {
		r.Devices = append(r.Devices, container.DeviceMapping{
			PathOnHost: d.Source, PathInContainer: cmp.Or(d.Target, d.Source), CgroupPermissions: cmp.Or(d.Permissions, "rwm"),
		})
	}
	if s.Deploy != nil {
		deployResources(r, s.Deploy.Resources)
	}
}

func deployResources(r *container.Resources, d types.Resources) {
	if l := d.Limits; l != nil {
		r.NanoCPUs = cmp.Or(nanoCPUs(float32(l.NanoCPUs)), r.NanoCPUs)
		r.Memory = cmp.Or(int64(l.MemoryBytes), r.Memory)
		if l.Pids != 0 {
			r.PidsLimit = new(l.Pids)
		}
	}
	if l := d.Reservations; l != nil {
		r.MemoryReservation = cmp.Or(int64(l.MemoryBytes), r.MemoryReservation)
		r.DeviceRequests = append(r.DeviceRequests, deviceRequests(l.Devices)...)
	}
}

// nanoCPUs reads the float32 compose-go gives by its shortest decimal: 0.1 is 100,000,000, not 100,000,001.
func nanoCPUs(cpus float32) int64 {
	exact, _ := strconv.ParseFloat(strconv.FormatFloat(float64(cpus), 'g', -1, 32), 64)
	return int64(math.Round(exact * 1e9))
}

func deviceRequests(asked []types.DeviceRequest, capabilities ...string) []container.DeviceRequest {
	var requests []container.DeviceRequest
	for _, a := range asked {
		requests = append(requests, container.DeviceRequest{
			Driver: a.Driver, Count: int(a.Count), DeviceIDs: a.IDs, Options: a.Options,
			Capabilities: [][]string{slices.Concat(a.Capabilities, capabilities)},
		})
	}
	return requests
}

func ulimits(asked map[string]*types.UlimitsConfig) []*container.Ulimit {
	var limits []*container.Ulimit
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		l := &container.Ulimit{Name: name, Soft: int64(asked[name].Soft), Hard: int64(asked[name].Hard)}
		if single := asked[name].Single; single != 0 {
			l.Soft, l.Hard = int64(single), int64(single)
		}
		limits = append(limits, l)
	}
	return limits
}

package docker

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/volume"
)

// namedVolume is a volume of the compose project that has to exist before the container.
type namedVolume struct {
	path     string // of the service's key that names it
	external bool
	create   volume.CreateOptions // as compose would make it
}

func (v *conversion) mounts() error {
	for i, m := range v.service.Volumes {
		key := fmt.Sprintf("volumes[%d]", i)
		switch m.Type {
		case types.VolumeTypeBind:
			v.bind(m)
		case types.VolumeTypeVolume:
			if err := v.volume(key, m); err != nil {
				return err
			}
		case types.VolumeTypeTmpfs:
			v.tmpfs(m)
		}
	}
	return nil
}

// bind goes the older way where it can: only that creates a missing folder on the host and knows SELinux's labels.
func (v *conversion) bind(m types.ServiceVolumeConfig) {
	o := m.Bind
	if o == nil {
		o = &types.ServiceVolumeBind{CreateHostPath: true}
	}
	if !o.CreateHostPath {
		b := mount.Mount{Type: mount.TypeBind, Source: m.Source, Target: m.Target, ReadOnly: m.ReadOnly}
		if o.Propagation != "" {
			b.BindOptions = &mount.BindOptions{Propagation: mount.Propagation(o.Propagation)}
		}
		v.host.Mounts = append(v.host.Mounts, b)
		return
	}
	mode := []string{"rw"}
	if m.ReadOnly {
		mode[0] = "ro"
	}
	for _, option := range []string{o.SELinux, o.Propagation} {
		if option != "" {
			mode = append(mode, option)
		}
	}
	v.host.Binds = append(v.host.Binds, m.Source+":"+m.Target+":"+strings.Join(mode, ","))
}

func (v *conversion) volume(key string, m types.ServiceVolumeConfig) error {
	out := mount.Mount{Type: mount.TypeVolume, Source: m.Source, Target: m.Target, ReadOnly: m.ReadOnly}
	if o := m.Volume; o != nil {
		out.VolumeOptions = &mount.VolumeOptions{NoCopy: o.NoCopy, Labels: o.Labels, Subpath: o.Subpath}
		if o.Subpath != "" {
			v.needs = append(v.needs, need{v.path + "." + key + ".volume.subpath", "1.45"})
		}
	}
	if m.Source != "" {
		declared, ok := v.project.Volumes[m.Source]
		if !ok {
			return v.unsupported(key, "volume %s is not declared under volumes", m.Source)
		}
		out.Source = cmp.Or(declared.Name, m.Source)
		v.volumes = append(v.volumes, v.named(v.path+"."+key, m.Source, declared))
	}
	v.host.Mounts = append(v.host.Mounts, out)
	return nil
}

func (v *conversion) named(path, key string, declared types.VolumeConfig) namedVolume {
	labels := map[string]string{}
	for k, value := range declared.Labels {
		labels[k] = value
	}
	// The volume belongs to the project: docker compose takes it for its own, and removes it with down --volumes.
	labels["com.docker.compose.project"] = v.project.Name
	labels["com.docker.compose.volume"] = key
	return namedVolume{path: path, external: bool(declared.External), create: volume.CreateOptions{
		Name: cmp.Or(declared.Name, key), Driver: declared.Driver, DriverOpts: declared.DriverOpts, Labels: labels,
	}}
}

func (v *conversion) tmpfs(m types.ServiceVolumeConfig) {
	out := mount.Mount{Type: mount.TypeTmpfs, Target: m.Target, ReadOnly: m.ReadOnly}
	if o := m.Tmpfs; o != nil {
		out.TmpfsOptions = &mount.TmpfsOptions{SizeBytes: int64(o.Size), Mode: os.FileMode(o.Mode)}
	}
	v.host.Mounts = append(v.host.Mounts, out)
}

func (v *conversion) secrets() error {
	for i, s := range v.service.Secrets {
		declared := types.FileObjectConfig(v.project.Secrets[s.Source])
		if err := v.file(fmt.Sprintf("secrets[%d]", i), "/run/secrets", types.FileReferenceConfig(s), declared); err != nil {
			return err
		}
	}
	return nil
}

func (v *conversion) configs() error {
	for i, c := range v.service.Configs {
		declared := types.FileObjectConfig(v.project.Configs[c.Source])
		if err := v.file(fmt.Sprintf("configs[%d]", i), "/", types.FileReferenceConfig(c), declared); err != nil {
			return err
		}
	}
	return nil
}

// file mounts a secret or config, read-only. One that is no file on the host would have to be copied into the
// container, and would be lost when the container is made anew from what the engine knows of it.
func (v *conversion) file(key, folder string, ref types.FileReferenceConfig, declared types.FileObjectConfig) error {
	if declared.File == "" {
		return v.unsupported(key, "%s is not a file: only secrets and configs with file: are carried over", ref.Source)
	}
	target := cmp.Or(ref.Target, ref.Source)
	if !path.IsAbs(target) {
		target = path.Join(folder, target)
	}
	v.files = append(v.files, declared.File)
	v.host.Mounts = append(v.host.Mounts, mount.Mount{Type: mount.TypeBind, Source: declared.File, Target: target, ReadOnly: true})
	return nil
}

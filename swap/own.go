package swap

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/nginx"
)

// The nginx of a network is one that bluegreen made, or one that was there and is adopted.

func (j *job) adopted() bool { return j.own.Container != "" }

// root is the folder of our files in nginx's container.
func (j *job) root() string {
	if j.adopted() {
		return j.own.Folder
	}
	return nginx.Root
}

// locate finds out which nginx it is: the one that this project adopts, else the one that the network, or a profile, was
// made for. Everybody who comes without a compose file goes by that.
func (j *job) locate(ctx context.Context) error {
	j.names, j.own = namesFor(j.names.network), HostKeys{}
	remembered, err := j.rememberedGate(ctx)
	if err != nil {
		return err
	}
	asked := j.Service.Host
	if asked.Container == "" && remembered.Container == "" {
		return nil
	}
	keys := HostKeys{
		Container: cmp.Or(asked.Container, remembered.Container), Folder: cmp.Or(asked.Folder, remembered.Folder, nginx.Root),
		Status: cmp.Or(asked.Status, remembered.Status, config.DefaultStatus),
	}
	if remembered.Container != "" && keys != remembered {
		return &config.Error{
			Where: "x-bluegreen.nginx.container", What: fmt.Sprintf("network %s belongs to the nginx in container %s (folder %s, status %d)", j.names.network, remembered.Container, remembered.Folder, remembered.Status),
			Do: "Say the same here, or take its services down first, or use another network name.",
		}
	}
	j.own, j.names.nginx = keys, keys.Container
	return nil
}

// rememberedGate are the keys of the nginx that was adopted for this network; none: it has one of ours, or none yet.
func (j *job) rememberedGate(ctx context.Context) (keys HostKeys, err error) {
	n, err := j.w.Network(ctx, j.names.network)
	var twice *docker.DuplicateNetworkError
	if err != nil && !errors.Is(err, docker.ErrNotFound) && !errors.As(err, &twice) {
		return keys, err
	}
	label := n.Labels[LabelHost]
	if label == "" && n.Labels[LabelRole] != "network" { // it is gone, or was there before
		own, err := j.w.Containers(ctx, map[string]string{LabelNetwork: j.names.network, LabelRole: RoleProfile})
		if err != nil {
			return keys, err
		}
		for _, c := range own {
			label = cmp.Or(label, c.Labels[LabelHost])
		}
	}
	if label == "" {
		return keys, nil
	}
	if err := json.Unmarshal([]byte(label), &keys); err != nil {
		return keys, fmt.Errorf("read label %s of network %s: %w", LabelHost, j.names.network, err)
	}
	return keys, nil
}

// hostLabel is what network and profiles say of an adopted nginx; none for one of ours.
func (j *job) hostLabel() map[string]string {
	if !j.adopted() {
		return nil
	}
	b, _ := json.Marshal(j.own) // plain data: cannot fail
	return map[string]string{LabelHost: string(b)}
}

// onHost says whether an nginx shares the Docker host's own network: it reaches profiles by the ports that they publish there.
func onHost(c *docker.Container) bool { return c != nil && c.NetworkMode == "host" }

// seeOwn looks at an adopted nginx, whatever it is and does: checkOwn judges.
func (j *job) seeOwn(ctx context.Context, o *Observation) error {
	o.Host = j.own
	c, err := j.w.Container(ctx, j.names.nginx)
	if err != nil {
		return ignoreNotFound(err)
	}
	o.Nginx, o.Volume = &c, true
	if c.Running() {
		if err := j.seeOwnMaster(ctx, o); err != nil {
			return err
		}
	}
	o.Files, err = j.w.ReadTree(ctx, c.ID, j.root())
	return ignoreNotFound(err)
}

// seeOwnMaster reads from nginx's title how it was started, and asks it for its version.
func (j *job) seeOwnMaster(ctx context.Context, o *Observation) error {
	title, err := j.masterTitle(ctx, *o.Nginx)
	if err != nil || title == "" {
		return err // not nginx
	}
	j.ownConf, j.ownPrefix = nginx.ConfigFile(title), nginx.Prefix(title)
	o.nginxVersion, err = j.w.NginxVersion(ctx, place{j})
	return err
}

// How long an nginx that was just started may take until it is one (its image's entry point has scripts of its own), and how
// often it is looked at meanwhile.
const (
	comingUp      = 10 * time.Second
	comingUpPause = 100 * time.Millisecond
)

// masterTitle is the title of nginx's master process in a container; "" when it runs none.
func (j *job) masterTitle(ctx context.Context, c docker.Container) (string, error) {
	for {
		list, err := j.w.Top(ctx, c.ID)
		if err != nil {
			return "", err
		}
		i := slices.IndexFunc(list, func(p docker.Process) bool { return nginx.IsMaster(p.Title) })
		switch age := time.Since(c.StartedAt); {
		case i >= 0:
			return list[i].Title, nil
		case age < 0 || age > comingUp:
			return "", nil
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(comingUpPause):
		}
	}
}

// checkOwn makes sure, before anything is touched, that an adopted nginx can be one, and runs. A service goes away without
// that.
func (j *job) checkOwn(ctx context.Context) error {
	if !j.adopted() {
		return nil
	}
	c := j.obs.Nginx
	if c != nil && c.Labels[LabelRole] == RoleNginx {
		return j.ownFault("container "+c.Name+" is an nginx that bluegreen made", "Take the key out: it is used without being named.")
	}
	if err := j.checkAlone(ctx); err != nil || j.Command == Down {
		return err
	}
	switch {
	case c == nil:
		return j.ownFault("there is no container "+j.names.nginx, "Start your nginx, or name its container as docker ps shows it.")
	case !c.Running():
		return ownDown(*c)
	case j.obs.nginxVersion == "":
		return j.ownFault("container "+c.Name+" runs no nginx (no process titled \"nginx: master process\")", "Name the container in which your nginx runs.")
	}
	if _, isFile := j.obs.Files[baseOf(j.root())]; isFile {
		return j.ownFault(j.root()+" is a file", "Name a folder.")
	}
	return cmp.Or(j.checkMounts(*c), j.checkFiles(*c))
}

// checkAlone refuses to adopt an nginx for a network that has one of ours.
func (j *job) checkAlone(ctx context.Context) error {
	managed := namesFor(j.names.network).nginx
	c, err := j.w.Container(ctx, managed)
	if err != nil || c.Labels[LabelRole] != RoleNginx {
		return ignoreNotFound(err)
	}
	return j.ownFault(fmt.Sprintf("network %s has an nginx that bluegreen made (%s)", j.names.network, managed), "Take its services down first, or use another network name.")
}

func baseOf(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

func (j *job) ownFault(what, do string) error {
	return &config.Error{Where: "x-bluegreen.nginx.container", What: what, Do: do}
}

// checkMounts makes sure that our files outlive the container, and can be written.
func (j *job) checkMounts(c docker.Container) error {
	if strings.HasPrefix(c.NetworkMode, "container:") || c.NetworkMode == "none" {
		return j.ownFault(fmt.Sprintf("container %s has the network mode %s: it can join no network", c.Name, c.NetworkMode), "Give it a network of its own, or the host's.")
	}
	var under *docker.Mount
	for _, m := range c.Mounts {
		if (j.root() == m.Target || strings.HasPrefix(j.root(), strings.TrimSuffix(m.Target, "/")+"/")) && (under == nil || len(m.Target) > len(under.Target)) {
			under = &m
		}
	}
	where := fmt.Sprintf("Mount a volume or a folder there, as in docker run -v bluegreen:%s …, or name another folder with x-bluegreen.nginx.folder.", j.root())
	switch {
	case under == nil:
		return j.ownFault(fmt.Sprintf("%s in container %s lies on no volume and no folder of the host: the files would be gone with the container", j.root(), c.Name), where)
	case under.ReadOnly:
		return j.ownFault(fmt.Sprintf("%s in container %s is mounted read-only", under.Target, c.Name), where)
	}
	return nil
}

// checkFiles finds one of our files that is mounted by itself: it keeps its old content when a new file takes its name.
func (j *job) checkFiles(c docker.Container) error {
	for _, m := range c.Mounts {
		below, ok := strings.CutPrefix(m.Target, j.root()+"/")
		if _, isFile := j.obs.Files[below]; ok && isFile {
			return j.ownFault(fmt.Sprintf("the file %s in container %s is mounted by itself (from %s): it keeps its old content when a new one takes its name", m.Target, c.Name, m.Source), "Mount the folder instead.")
		}
	}
	return nil
}

// ownConfig is what a change in an adopted nginx has to know; nil for one of ours.
func (j *job) ownConfig(read ...string) *nginx.Own {
	if !j.adopted() {
		return nil
	}
	return &nginx.Own{Root: j.root(), Conf: j.ownConf, Prefix: j.ownPrefix, Read: read}
}

// notRead says which lines an adopted nginx's configuration lacks.
func (j *job) notRead(e *nginx.NotReadError) error {
	return j.ownFault(e.Error()+" (container "+j.names.nginx+")", fmt.Sprintf(`Put these two lines there, and deploy again (reloading it before is not needed):
  in the http block:    include %s/sites/*.conf;
  in the server block:  include %[1]s/%s;
and send its requests on with: proxy_pass $service_url;`, j.root(), nginx.IncludePath(j.service())))
}

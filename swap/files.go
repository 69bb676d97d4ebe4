package swap

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/nginx"
)

// secretExtensions are those of files that only nginx is to read.
var secretExtensions = []string{".key", ".htpasswd"}

// withoutSecrets empties the files of a tree that hold secrets: that they are there is all that is to be known of them.
func withoutSecrets(files map[string][]byte, err error) (map[string][]byte, error) {
	for name := range files {
		if slices.Contains(secretExtensions, path.Ext(name)) {
			files[name] = nil
		}
	}
	return files, err
}

// keepSite leaves the site as the host has it, unless the command is to bring the compose file's: a certificate that cannot be
// read here is no reason against a rollback.
func (j *job) keepSite(was *config.Settings) {
	if was == nil || j.NeedsSite() {
		return
	}
	s := &j.Service.Settings
	s.Web = was.Web
	if j.Command == "" {
		return // who only looks compares with the file
	}
	s.ServerNames, s.Paths = was.ServerNames, was.Paths
	s.Keepalive, s.KeepaliveTimeout, s.MaxBody, s.ProxyTimeout, s.ReleaseHeader = was.Keepalive, was.KeepaliveTimeout, was.MaxBody, was.ProxyTimeout, was.ReleaseHeader
}

// toSend are the files that the site needs and the host lacks, sorted.
func (j *job) toSend() (list []nginx.Stored) {
	for _, f := range j.Service.Settings.Web.Files() {
		c, here := j.Service.Contents[f.Name]
		listed := slices.ContainsFunc(list, func(s nginx.Stored) bool { return s.Name == f.Name })
		if here && !listed && !j.holds(f.Name, c) {
			list = append(list, nginx.Stored{Name: f.Name, Text: c.Text, Secret: c.Secret, Shared: c.Shared})
		}
	}
	slices.SortFunc(list, func(a, b nginx.Stored) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// holds says whether the host has a file. One that can be looked at must be what its name says; others go by the name, unless
// the run is forced.
func (j *job) holds(name string, c config.Content) bool {
	have, ok := j.obs.Files[nginx.FilePath(j.service(), name)]
	if !ok || c.Secret || c.Shared {
		return ok && !j.Force
	}
	return sha256.Sum256(have) == sha256.Sum256(c.Text)
}

// sendFiles brings the site's files into nginx's volume, under the host's lock. Nothing reads them until a site names them.
func (j *job) sendFiles(ctx context.Context) error {
	if err := j.checkSent(); err != nil {
		return err
	}
	files := j.toSend()
	if len(files) == 0 {
		return nil
	}
	if err := j.proveLock(ctx); err != nil {
		return err
	}
	var sent []docker.ArchiveFile
	for _, f := range files {
		name := strings.TrimPrefix(nginx.StoreTemp(j.service(), j.run, f.Name), sitesFolder+"/")
		sent = append(sent, docker.ArchiveFile{Name: name, Text: f.Text, Mode: f.Mode() &^ 0o077}) // more once it is whole
	}
	if err := j.w.WriteFiles(ctx, j.names.nginx, nginx.Root+"/"+sitesFolder, sent); err != nil {
		return fmt.Errorf("send the files of the site: %w", err)
	}
	if err := j.w.Store(ctx, place{j}, j.service(), j.run, files); err != nil {
		return err
	}
	for _, f := range files {
		seen := map[string][]byte{nginx.FilePath(j.service(), f.Name): f.Text}
		_, _ = withoutSecrets(seen, nil)
		maps.Copy(j.obs.Files, seen)
	}
	return nil
}

// sitesFolder is there from the first nginx.conf on.
const sitesFolder = "sites"

// sweepFiles removes the files that nothing of the service names any more, once the run did what it should: a switch back
// needed them until now. What cannot be removed is removed by the next run.
func (j *job) sweepFiles(ctx context.Context) {
	if len(unnamed(j.filesNow(), j.service())) == 0 || ctx.Err() != nil {
		return
	}
	err := j.underHostLock(ctx, func(ctx context.Context) error {
		have, err := j.w.ReadTree(ctx, j.names.nginx, nginx.Root)
		if err != nil {
			return err
		}
		var change nginx.Change
		for _, name := range unnamed(have, j.service()) {
			change.Files = append(change.Files, nginx.File{Path: name, Remove: true})
		}
		if len(change.Files) == 0 {
			return nil
		}
		return j.apply(ctx, change)
	})
	if err != nil {
		j.note("warning: old files of the site could not be removed: " + err.Error())
	}
}

// filesNow are the files as this run has left them, as far as it can know.
func (j *job) filesNow() map[string][]byte {
	if j.pointed == nil || !hasFiles(j.obs.Files, j.service()) {
		return j.obs.Files
	}
	state := j.obs.State
	state.Settings = &j.Service.Settings
	written := append(slices.Clone(j.pointed), nginx.ConfirmedCopy(j.service(), j.pointed), nginx.File{Path: nginx.StatePath(j.service()), Text: state.text()})
	site, now := nginx.SiteFiles(j.obs.Files, j.service()), map[string][]byte{}
	for name, text := range j.obs.Files {
		if !slices.ContainsFunc(site, func(f nginx.File) bool { return f.Path == name }) {
			now[name] = text
		}
	}
	for _, f := range written {
		now[f.Path] = []byte(f.Text)
	}
	return now
}

// unnamed are the files of a site that neither the site nor its confirmed copy nor what the host remembers names, sorted.
func unnamed(have map[string][]byte, service string) (list []string) {
	var texts strings.Builder
	for _, f := range nginx.SiteFiles(have, service) {
		texts.WriteString(f.Text)
	}
	texts.Write(have[nginx.ConfirmedPath(service)])
	texts.Write(have[nginx.StatePath(service)])
	for name := range have {
		if path.Dir(name) == nginx.FilesDir(service) && !strings.Contains(texts.String(), path.Base(name)) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// hasFiles says whether a site has files of its own in the volume.
func hasFiles(have map[string][]byte, service string) bool {
	for name := range have {
		if path.Dir(name) == nginx.FilesDir(service) {
			return true
		}
	}
	return false
}

// missingFiles are those that the site names and the host lacks, and that this run does not bring.
func (j *job) missingFiles() []string { return j.missing(j.Service.Settings.Web) }

func (j *job) missing(w config.Web) (list []string) {
	for _, f := range w.Files() {
		_, here := j.Service.Contents[f.Name]
		if _, there := j.obs.Files[nginx.FilePath(j.service(), f.Name)]; !here && !there {
			list = append(list, f.Path)
		}
	}
	return list
}

// checkSent refuses a site whose files nobody has.
func (j *job) checkSent() error {
	missing := j.missingFiles()
	if len(missing) == 0 {
		return nil
	}
	return &config.Error{
		Where: "service " + j.service(), What: "its site needs " + strings.Join(missing, ", ") + ", which nginx's volume does not have",
		Do: "Run `bluegreen reload " + j.service() + "` or a deploy where the compose file and these files are.",
	}
}

// fingerprint names a certificate for a person.
func fingerprint(leaf []byte) string {
	sum := sha256.Sum256(leaf)
	return hex.EncodeToString(sum[:8])
}

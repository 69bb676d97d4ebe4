package rehearse

import (
	"context"
	"fmt"
	"strings"

	"bluegreen/docker"
	"bluegreen/nginx"
	"bluegreen/swap"
)

func (r *recipe) createNetwork(ctx context.Context) (err error) {
	labels := map[string]string{swap.LabelNetwork: r.names.network, swap.LabelRole: "network"}
	r.network, err = r.client.CreateNetwork(ctx, r.names.network, "", labels)
	return err
}

// startNginx starts the recipe's nginx with the first profile live: there is no reload before the first swap.
func (r *recipe) startNginx(ctx context.Context) error {
	image, err := r.client.Image(ctx, r.nginxImage())
	if err != nil {
		return err
	}
	volume := r.names.network + "-nginx"
	if err := r.client.CreateVolume(ctx, volume, map[string]string{swap.LabelNetwork: r.names.network}); err != nil {
		return err
	}
	include, err := r.include(0)
	if err != nil {
		return err
	}
	wrote, err := r.client.RunOnce(ctx, docker.OneShot{
		Name: r.nginx() + "-write", ImageID: image.ID, Volume: volume, At: recipeRoot, Labels: map[string]string{swap.LabelNetwork: r.names.network},
		Cmd: []string{"sh", "-c", `printf %s "$1" >"$2" && printf %s "$3" >"$4"`, "sh", r.main(), recipeMain, include, recipeInclude},
	})
	if err == nil && wrote.ExitCode != 0 {
		err = fmt.Errorf("write its files: %s", strings.TrimSpace(wrote.Stderr))
	}
	if err != nil {
		return err
	}
	id, err := r.client.CreateNginx(ctx, docker.NginxSpec{
		Name: r.nginx(), ImageID: image.ID, Volume: volume, At: recipeRoot, Cmd: []string{"nginx", "-c", recipeMain, "-g", "daemon off;"},
		NetworkID: r.network.ID, NetworkName: r.network.Name,
		Ports:  []docker.Port{{HostIP: loopback, HostPort: r.ports.http, Container: nginx.HTTPPort}, {HostIP: loopback, HostPort: r.ports.status, Container: nginx.StatusPort}},
		Labels: map[string]string{swap.LabelNetwork: r.names.network},
	})
	if err != nil {
		return err
	}
	return r.client.Start(ctx, id)
}

// main is the recipe's nginx.conf.
func (r *recipe) main() string {
	return strings.ReplaceAll(recipeText, "RELEASE_HEADER", r.copy.Settings.ReleaseHeader)
}

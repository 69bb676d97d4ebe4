# bluegreen as an image. The binary is built outside (`make image`), so that no registry is needed for a base image.
#   docker run --rm -v /var/run/docker.sock:/var/run/docker.sock -v "$PWD:/app" -w /app bluegreen:dev deploy
FROM scratch
COPY bin/image/bluegreen /bluegreen
ARG VERSION=dev
LABEL bluegreen.image=bluegreen org.opencontainers.image.title=bluegreen org.opencontainers.image.version=$VERSION
ENTRYPOINT ["/bluegreen"]

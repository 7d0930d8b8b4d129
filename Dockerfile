# One image a service: docker build --target gateway -t parley-gateway .
#
# BASE may be any Debian 12 (bookworm). Stage "build" compiles everything once; each service's
# stage holds its program, the libraries that program links, and the models it reads.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
WORKDIR /src
COPY tools/debian-packages.txt tools/install-deps tools/
RUN tools/install-deps build && rm -rf /var/lib/apt/lists/*
COPY . .
ARG VERSION=0.1.0
RUN make -s -j2 B=build/release VERSION=${VERSION} all && strip build/release/bin/*

FROM ${BASE} AS runtime
RUN useradd --system --uid 10001 --home-dir /var/lib/parley --create-home parley
WORKDIR /var/lib/parley
COPY tools/debian-packages.txt tools/install-deps /opt/parley/tools/
RUN /opt/parley/tools/install-deps run-common && rm -rf /var/lib/apt/lists/*
COPY k8s/base/cluster.yaml /etc/parley/cluster.yaml
VOLUME /var/lib/parley

FROM runtime AS gateway
RUN /opt/parley/tools/install-deps run-gateway && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/build/release/bin/parley-gateway /usr/local/bin/
USER 10001
EXPOSE 8080 7000
ENTRYPOINT ["parley-gateway", "--config", "/etc/parley/cluster.yaml"]

FROM runtime AS telephony
RUN /opt/parley/tools/install-deps run-telephony && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/build/release/bin/parley-telephony /usr/local/bin/
USER 10001
EXPOSE 5060/udp 5060/tcp 8081 7000
ENTRYPOINT ["parley-telephony", "--config", "/etc/parley/cluster.yaml"]

FROM runtime AS speech
RUN /opt/parley/tools/install-deps run-speech && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/build/release/bin/parley-speech /usr/local/bin/
USER 10001
EXPOSE 7000
ENTRYPOINT ["parley-speech", "--config", "/etc/parley/cluster.yaml"]

FROM runtime AS dialogue
RUN /opt/parley/tools/install-deps run-dialogue && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/build/release/bin/parley-dialogue /usr/local/bin/
USER 10001
EXPOSE 7000
ENTRYPOINT ["parley-dialogue", "--config", "/etc/parley/cluster.yaml"]

FROM runtime AS rag
RUN /opt/parley/tools/install-deps run-rag && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/build/release/bin/parley-rag /usr/local/bin/
COPY examples/knowledge /usr/local/share/parley/knowledge
USER 10001
EXPOSE 7000
ENTRYPOINT ["parley-rag", "--config", "/etc/parley/cluster.yaml"]

FROM runtime AS persistence
RUN /opt/parley/tools/install-deps run-persistence && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/build/release/bin/parley-persistence /usr/local/bin/
USER 10001
EXPOSE 7000
ENTRYPOINT ["parley-persistence", "--config", "/etc/parley/cluster.yaml"]

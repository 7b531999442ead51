# syntax=docker/dockerfile:1
# County Twin in a container: not root, no compiler, Chinese fonts, data in /data.
FROM python:3.11.14-slim-bookworm AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements.txt constraints.txt ./
RUN python -m venv /opt/venv && /opt/venv/bin/pip install -r requirements.txt

FROM python:3.11.14-slim-bookworm
# The newest security updates are wanted, not one frozen version of a font or of the readers of tilt photography.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends fonts-noto-cjk libmeshoptimizer2d openscenegraph \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin twin \
    && install -d -o twin -g twin -m 0750 /data
COPY --from=packages /opt/venv /opt/venv
WORKDIR /opt/county-twin
COPY app ./app
COPY ingest ./ingest
COPY twin ./twin
COPY assets ./assets
COPY requirements.txt constraints.txt pyproject.toml LICENSE ./
RUN /opt/venv/bin/python -m compileall -q app ingest twin \
    && /opt/venv/bin/python -m twin.heat \
    && chown -R twin:twin twin/heat/__pycache__
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    CT_DATA=/data \
    CT_HOST=0.0.0.0 \
    CT_PORT=8050
USER 10001:10001
VOLUME ["/data"]
EXPOSE 8050
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=90s --retries=4 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8050/healthz', timeout=4)"]
ENTRYPOINT ["python", "-m", "app"]
CMD ["run"]

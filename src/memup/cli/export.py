"""memup export: the model of a run as one file that stands alone."""

from memup.cli.parser import Parser


def run(argv: list[str]) -> int:
    """Write the model file; print what it is."""
    parser = Parser("export", "Write the model of a run into one file; memup.load reads it.")
    parser.add_argument("run", help="run directory, or a model file")
    parser.add_argument("file", help="file to write, such as model.safetensors")
    args = parser.parse(argv)
    from memup.api import load

    model = load(args.run)
    print(f"{model.save(args.file)}: {model!r}")
    return 0

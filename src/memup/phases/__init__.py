"""The phases of a run, one file each: collect, detect, memory, policy, joint, evaluate."""

"""Shuts a file system down as a power failure would: `shutdown.py MOUNT_POINT FLAG` (EXT4_IOC_SHUTDOWN)."""
import fcntl
import os
import struct
import sys

folder = os.open(sys.argv[1], os.O_RDONLY)
fcntl.ioctl(folder, 0x8004587D, struct.pack("I", int(sys.argv[2])))

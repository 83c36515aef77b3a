# Shuts a file system down as a power failure would: `shutdown.pl MOUNT_POINT FLAG` (EXT4_IOC_SHUTDOWN).
use strict;
use warnings;

my ($mount_point, $flag) = @ARGV;
opendir(my $folder, $mount_point) or die "$mount_point: $!";
my $argument = pack('I', $flag);
ioctl($folder, 0x8004587D, $argument) or die "$mount_point: $!";

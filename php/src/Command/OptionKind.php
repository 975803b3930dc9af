<?php

namespace Aegir\Scale\Command;

enum OptionKind
{
    /** Given or not. */
    case Flag;
    case Text;
    /** A whole number. */
    case Number;
    /** May be given again and again; each is taken as it is. */
    case Repeated;
    /** Names with commas between them. */
    case Names;
}
